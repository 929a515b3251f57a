"""The test-suite mirrors the packages; attack/ and faults/ try to break what they promise."""
