"""How answers become Arrow tables: fast where the schema allows it, exact always."""
