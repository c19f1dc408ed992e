"""Reading the confidential data, one module for each kind of source."""
