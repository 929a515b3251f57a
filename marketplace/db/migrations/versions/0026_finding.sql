ALTER TABLE dataset DROP COLUMN search_text;
CREATE TABLE listing_search (
    listing_id UUID NOT NULL,
    words TSVECTOR NOT NULL,
    facets TEXT[] NOT NULL,
    title_words SMALLINT NOT NULL,
    released_at TIMESTAMPTZ NOT NULL,
    edition TEXT NOT NULL,
    CONSTRAINT pk_listing_search PRIMARY KEY (listing_id)
);
ALTER TABLE listing_search ALTER COLUMN words SET STORAGE MAIN;
ALTER TABLE listing_search SET (toast_tuple_target = 8160);
CREATE INDEX ix_listing_search_words ON listing_search USING gin (words) WITH (fastupdate = off);
CREATE INDEX ix_listing_search_edition ON listing_search (edition);
CREATE TABLE search_word (
    word TEXT COLLATE "C" NOT NULL,
    listings BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_search_word PRIMARY KEY (word)
);
CREATE INDEX ix_search_word_trigrams ON search_word USING gin (word gin_trgm_ops);
