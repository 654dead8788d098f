"""What a person does in Dagster's UI, in a real Chromium: what is read there, and what lies in the lake."""
