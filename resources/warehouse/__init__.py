"""The warehouse: databases over ADBC that partitions of tables are loaded into. It needs no Dagster."""
