//! One suite for every instruction set, against sums in f64 straight from the definitions.

mod attention;
mod cache;
mod elementwise;
mod independence;
mod normal;
mod reference;
mod scenario;
