//! Records to token ids, and packing, in rows a second on one thread.

mod common;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokenize::{ModelFiles, PromptFormat, PromptOptions, Question, pack};

fn tokenize(criterion: &mut Criterion) {
    let files = ModelFiles::read(&common::fixture("tokenizers/bpe")).expect("the tokenizer");
    let format = PromptFormat::new(&files, &PromptOptions::default()).expect("a prompt format");
    let records = common::records();

    let mut group = criterion.benchmark_group("tokenize");
    group.throughput(Throughput::Elements(records.len() as u64));
    group.bench_function("prompt and target", |b| {
        b.iter(|| {
            let ids = records.iter().map(|record| {
                let (instruction, input) = (&*record.instruction, &*record.input);
                let question = Question { instruction, input, as_of_date: record.as_of_date };
                format.example(&question, &record.output).map_or(0, |example| example.tokens())
            });
            ids.sum::<usize>()
        });
    });
    // Lengths as theses have them: most of one size, a few far longer.
    let lengths: Vec<usize> = (0..100_000).map(|i| 300 + i * 7919 % 900 + (i % 97) * 8).collect();
    group.throughput(Throughput::Elements(lengths.len() as u64));
    group.bench_function("pack", |b| b.iter(|| pack(&lengths, 2_048).len()));
    group.finish();
}

criterion_group!(benches, tokenize);
criterion_main!(benches);
