//! Token shards as batches, in an order that follows from a seed.
