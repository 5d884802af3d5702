use std::borrow::Cow;

use rayon::prelude::*;

use crate::blockwise::{dequantize, quantize};
use crate::{
    AdamWConfig, AdamWStep, BLOCK, Buffer, Group, MIN_BLOCKWISE_LEN, NamedBuffer, OptimizerError,
    OptimizerState, SIGNED_MAP, StateDtype, UNSIGNED_MAP,
};

/// Values that one thread moves at a time: a whole number of blocks.
const CHUNK: usize = 64 * 1024;

/// AdamW over one flat slice of f32 parameters.
///
/// Source: Loshchilov & Hutter (2019), Decoupled Weight Decay Regularization, as `torch.optim.AdamW`
/// computes it: `p *= 1 - lr·wd`, then `p -= lr / (1 - beta1ᵗ) · m / (√v / √(1 - beta2ᵗ) + eps)`.
#[derive(Debug, Clone, PartialEq)]
pub struct AdamW {
    config: AdamWConfig,
    groups: Vec<Group>,
    dtype: StateDtype,
    step: u64,
    /// Moments of the groups that keep them in f32, one after another.
    m: Vec<f32>,
    v: Vec<f32>,
    /// Moments of the other groups. Blocks begin anew with each group.
    m_blocks: Blocks,
    v_blocks: Blocks,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Blocks {
    codes: Vec<u8>,
    absmax: Vec<f32>,
}

impl AdamW {
    /// An optimizer that has taken no step.
    ///
    /// # Errors
    ///
    /// [`OptimizerError::Setting`], as [`AdamWConfig::check`].
    pub fn new(
        config: AdamWConfig,
        groups: Vec<Group>,
        dtype: StateDtype,
    ) -> Result<Self, OptimizerError> {
        config.check()?;
        let lengths = Lengths::of(&groups, dtype);
        let blocks = |zero: u8| Blocks {
            codes: vec![zero; lengths.codes],
            // What a block of zeros has.
            absmax: vec![1.0; lengths.blocks],
        };
        Ok(Self {
            m: vec![0.0; lengths.full],
            v: vec![0.0; lengths.full],
            m_blocks: blocks(SIGNED_MAP.encode(0.0)),
            v_blocks: blocks(UNSIGNED_MAP.encode(0.0)),
            config,
            groups,
            dtype,
            step: 0,
        })
    }

    /// An optimizer that goes on where another one was when its [`state`](Self::state) was taken.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and where the buffers are not those that such an optimizer has: one is
    /// missing, too many, of the wrong length or type.
    pub fn from_state(
        config: AdamWConfig,
        groups: Vec<Group>,
        dtype: StateDtype,
        state: OptimizerState<'_>,
    ) -> Result<Self, OptimizerError> {
        let mut new = Self::new(config, groups, dtype)?;
        new.step = state.step;
        let mut buffers = state.buffers;
        take_f32(&mut buffers, "m", &mut new.m)?;
        take_f32(&mut buffers, "v", &mut new.v)?;
        if dtype == StateDtype::Blockwise8 {
            take_u8(&mut buffers, "m_codes", &mut new.m_blocks.codes)?;
            take_f32(&mut buffers, "m_absmax", &mut new.m_blocks.absmax)?;
            take_u8(&mut buffers, "v_codes", &mut new.v_blocks.codes)?;
            take_f32(&mut buffers, "v_absmax", &mut new.v_blocks.absmax)?;
        }
        match buffers.pop() {
            Some(extra) => Err(OptimizerError::ExtraBuffer { name: extra.name.into_owned() }),
            None => Ok(new),
        }
    }

    /// What [`from_state`](Self::from_state) needs to go on, bit by bit.
    pub fn state(&self) -> OptimizerState<'_> {
        let mut buffers = vec![f32_buffer("m", &self.m), f32_buffer("v", &self.v)];
        if self.dtype == StateDtype::Blockwise8 {
            buffers.extend([
                u8_buffer("m_codes", &self.m_blocks.codes),
                f32_buffer("m_absmax", &self.m_blocks.absmax),
                u8_buffer("v_codes", &self.v_blocks.codes),
                f32_buffer("v_absmax", &self.v_blocks.absmax),
            ]);
        }
        OptimizerState { step: self.step, buffers }
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Number of parameters: the groups together.
    pub fn parameters(&self) -> usize {
        self.groups.iter().map(|group| group.len).sum()
    }

    /// Bytes of state.
    pub fn state_bytes(&self) -> usize {
        let Self { m, m_blocks, .. } = self;
        2 * (size_of_val(&m[..]) + m_blocks.codes.len() + size_of_val(&m_blocks.absmax[..]))
    }

    /// Moves the parameters against the gradient.
    ///
    /// The gradient must be finite ([`global_norm`](crate::global_norm) tells): NaN and infinity
    /// stay in the state.
    ///
    /// # Errors
    ///
    /// [`OptimizerError::Length`] where a slice is not as long as the groups together;
    /// [`OptimizerError::Setting`] where the learning rate is negative or endless. Nothing is
    /// changed then.
    pub fn step(
        &mut self,
        parameters: &mut [f32],
        gradient: &[f32],
        learning_rate: f64,
    ) -> Result<(), OptimizerError> {
        check_length("parameters", parameters.len(), self.parameters())?;
        check_length("gradient", gradient.len(), self.parameters())?;
        let constants = |decay| self.config.step(learning_rate, self.step + 1, decay);
        let (plain, decaying) = (constants(false)?, constants(true)?);
        self.step += 1;

        let mut jobs = Vec::with_capacity(parameters.len() / CHUNK + self.groups.len());
        let (mut p, mut g) = (parameters, gradient);
        let (mut m, mut v) = (&mut self.m[..], &mut self.v[..]);
        let (mut m_blocks, mut v_blocks) = (self.m_blocks.parts(), self.v_blocks.parts());
        for group in &self.groups {
            let update = if group.weight_decay { &decaying } else { &plain };
            let mut left = group.len;
            while left > 0 {
                let len = left.min(CHUNK);
                left -= len;
                let moments = if in_blocks(group, self.dtype) {
                    Moments::Blocks { m: m_blocks.take(len), v: v_blocks.take(len) }
                } else {
                    Moments::Full { m: take_mut(&mut m, len), v: take_mut(&mut v, len) }
                };
                let (gradient, rest) = g.split_at(len);
                g = rest;
                jobs.push(Job { update, parameters: take_mut(&mut p, len), gradient, moments });
            }
        }
        jobs.into_par_iter().for_each(Job::run);
        Ok(())
    }
}

/// What one thread does: at most [`CHUNK`] values of one group.
struct Job<'a> {
    update: &'a AdamWStep,
    parameters: &'a mut [f32],
    gradient: &'a [f32],
    moments: Moments<'a>,
}

enum Moments<'a> {
    Full { m: &'a mut [f32], v: &'a mut [f32] },
    Blocks { m: Parts<'a>, v: Parts<'a> },
}

/// A run of whole blocks; only the last one of a group may be short.
struct Parts<'a> {
    codes: &'a mut [u8],
    absmax: &'a mut [f32],
}

impl Job<'_> {
    fn run(self) {
        let Self { update, parameters, gradient, moments } = self;
        match moments {
            Moments::Full { m, v } => update.apply(parameters, gradient, m, v),
            Moments::Blocks { m, v } => {
                let (mut m_values, mut v_values) = ([0.0; BLOCK], [0.0; BLOCK]);
                let slices = parameters.chunks_mut(BLOCK).zip(gradient.chunks(BLOCK));
                for ((p, g), (m, v)) in slices.zip(m.blocks().zip(v.blocks())) {
                    let (m_values, v_values) = (&mut m_values[..p.len()], &mut v_values[..p.len()]);
                    dequantize(&SIGNED_MAP, m.0, *m.1, m_values);
                    dequantize(&UNSIGNED_MAP, v.0, *v.1, v_values);
                    update.apply(p, g, m_values, v_values);
                    *m.1 = quantize(&SIGNED_MAP, m_values, m.0);
                    *v.1 = quantize(&UNSIGNED_MAP, v_values, v.0);
                }
            }
        }
    }
}

impl Blocks {
    fn parts(&mut self) -> Parts<'_> {
        Parts { codes: &mut self.codes, absmax: &mut self.absmax }
    }
}

impl<'a> Parts<'a> {
    /// The first `len` values, which end with a block.
    fn take(&mut self, len: usize) -> Self {
        Self {
            codes: take_mut(&mut self.codes, len),
            absmax: take_mut(&mut self.absmax, len.div_ceil(BLOCK)),
        }
    }

    fn blocks(self) -> impl Iterator<Item = (&'a mut [u8], &'a mut f32)> {
        self.codes.chunks_mut(BLOCK).zip(self.absmax)
    }
}

struct Lengths {
    full: usize,
    codes: usize,
    blocks: usize,
}

impl Lengths {
    fn of(groups: &[Group], dtype: StateDtype) -> Self {
        let mut lengths = Self { full: 0, codes: 0, blocks: 0 };
        for group in groups {
            if in_blocks(group, dtype) {
                lengths.codes += group.len;
                lengths.blocks += group.len.div_ceil(BLOCK);
            } else {
                lengths.full += group.len;
            }
        }
        lengths
    }
}

fn in_blocks(group: &Group, dtype: StateDtype) -> bool {
    dtype == StateDtype::Blockwise8 && group.len >= MIN_BLOCKWISE_LEN
}

fn take_mut<'a, T>(slice: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (first, rest) = std::mem::take(slice).split_at_mut(len);
    *slice = rest;
    first
}

fn f32_buffer<'a>(name: &'static str, values: &'a [f32]) -> NamedBuffer<'a> {
    NamedBuffer { name: name.into(), values: Buffer::F32(Cow::Borrowed(values)) }
}

fn u8_buffer<'a>(name: &'static str, values: &'a [u8]) -> NamedBuffer<'a> {
    NamedBuffer { name: name.into(), values: Buffer::U8(Cow::Borrowed(values)) }
}

fn take_f32(
    buffers: &mut Vec<NamedBuffer<'_>>,
    name: &'static str,
    place: &mut Vec<f32>,
) -> Result<(), OptimizerError> {
    let Buffer::F32(values) = take_buffer(buffers, name)? else {
        return Err(OptimizerError::Dtype { name: name.into(), expected: "f32", got: "u8" });
    };
    check_length(name, values.len(), place.len())?;
    *place = values.into_owned();
    Ok(())
}

fn take_u8(
    buffers: &mut Vec<NamedBuffer<'_>>,
    name: &'static str,
    place: &mut Vec<u8>,
) -> Result<(), OptimizerError> {
    let Buffer::U8(values) = take_buffer(buffers, name)? else {
        return Err(OptimizerError::Dtype { name: name.into(), expected: "u8", got: "f32" });
    };
    check_length(name, values.len(), place.len())?;
    *place = values.into_owned();
    Ok(())
}

fn take_buffer<'a>(
    buffers: &mut Vec<NamedBuffer<'a>>,
    name: &'static str,
) -> Result<Buffer<'a>, OptimizerError> {
    let at = buffers
        .iter()
        .position(|buffer| buffer.name == name)
        .ok_or(OptimizerError::MissingBuffer { name })?;
    Ok(buffers.swap_remove(at).values)
}

fn check_length(name: &str, got: usize, expected: usize) -> Result<(), OptimizerError> {
    if got == expected {
        Ok(())
    } else {
        Err(OptimizerError::Length { name: name.into(), expected, got })
    }
}
