#!/bin/sh
# Run once by the PostgreSQL image, on an empty data folder: the role that the service works as, which owns nothing.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$SANDULIEU_SERVICE_PASSWORD" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
create role sandulieu_service login password :'password';
SQL
