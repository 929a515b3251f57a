"""Names in PostgreSQL: the database, who owns its tables, and the role the service works as."""

DATABASE = "sandulieu"
OWNER = "sandulieu"
SERVICE = "sandulieu_service"
