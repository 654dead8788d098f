"""Assets, jobs, schedules and sensors; a folder that is dropped here is loaded by itself."""
