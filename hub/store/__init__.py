"""The only place that speaks SQL. Two engines, SQLite and PostgreSQL, one behaviour."""
