//! One suite for every instruction set, against sums in f64 straight from the definitions.

mod attention;
mod attention_backward;
mod cache;
mod elementwise;
mod elementwise_backward;
mod independence;
mod reference;
mod scenario;
