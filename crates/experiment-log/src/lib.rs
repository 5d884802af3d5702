//! Scalars of a run: JSON lines, TensorBoard event files, MLflow.
