//! The client of MLflow against a local server.
