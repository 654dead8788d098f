"""What assets take and return: frames of pandas, pyarrow and polars, by Dagster's IO manager."""
