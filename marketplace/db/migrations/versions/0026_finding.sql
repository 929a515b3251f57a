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
CREATE TABLE watch (
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    dataset_id UUID,
    q TEXT,
    chosen JSONB NOT NULL DEFAULT CAST('{}' AS jsonb),
    seen_version_id TEXT,
    seen_offer_id UUID,
    made_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_watch PRIMARY KEY (id),
    CONSTRAINT ck_watch_one_of CHECK ((dataset_id is null) = (q is not null)),
    CONSTRAINT uq_watch_person_id_dataset_id_q_chosen UNIQUE NULLS NOT DISTINCT (person_id, dataset_id, q, chosen),
    CONSTRAINT fk_watch_person_id_person FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT fk_watch_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id)
);
CREATE INDEX ix_watch_dataset_id ON watch (dataset_id);
CREATE TABLE watch_notice (
    id UUID NOT NULL,
    watch_id UUID NOT NULL,
    person_id UUID NOT NULL,
    code TEXT NOT NULL,
    dataset_id UUID NOT NULL,
    reference TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    read_at TIMESTAMPTZ,
    CONSTRAINT pk_watch_notice PRIMARY KEY (id),
    CONSTRAINT uq_watch_notice_watch_id_code_reference UNIQUE (watch_id, code, reference),
    CONSTRAINT fk_watch_notice_watch_id_watch FOREIGN KEY(watch_id) REFERENCES watch (id) ON DELETE CASCADE,
    CONSTRAINT fk_watch_notice_person_id_person FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT fk_watch_notice_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id)
);
CREATE INDEX ix_watch_notice_person_id_id ON watch_notice (person_id, id);
CREATE TABLE demand (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    asked_by UUID NOT NULL,
    title TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_at TIMESTAMPTZ NOT NULL,
    closed_at TIMESTAMPTZ,
    CONSTRAINT pk_demand PRIMARY KEY (id),
    CONSTRAINT fk_demand_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id),
    CONSTRAINT fk_demand_asked_by_person FOREIGN KEY(asked_by) REFERENCES person (id)
);
CREATE INDEX ix_demand_organisation_id ON demand (organisation_id);
CREATE TABLE demand_vote (
    demand_id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    voted_by UUID NOT NULL,
    voted_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_demand_vote PRIMARY KEY (demand_id, organisation_id),
    CONSTRAINT fk_demand_vote_demand_id_demand FOREIGN KEY(demand_id) REFERENCES demand (id),
    CONSTRAINT fk_demand_vote_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id),
    CONSTRAINT fk_demand_vote_voted_by_person FOREIGN KEY(voted_by) REFERENCES person (id)
);
