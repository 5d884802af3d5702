use std::sync::Arc;

use super::row::Row;

/// What the slots of the cache hold.
pub(super) struct Slots {
    slots: Vec<Slot>,
    clock: u64,
}

#[derive(Default)]
struct Slot {
    row: Option<Row>,
    /// Of a free slot: the tokens whose keys and values it still has.
    left: Vec<u32>,
    /// When it became free; the one that is free for longest is given out first.
    freed: u64,
}

/// Where a row goes, and what of its beginning is in the cache already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) slot: usize,
    /// The slot that has the beginning; may be the same one.
    pub(super) from: usize,
    pub(super) shared: usize,
}

impl Slots {
    pub(super) fn new(count: usize) -> Self {
        Self { slots: (0..count).map(|_| Slot::default()).collect(), clock: 0 }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, &Row)> {
        self.slots.iter().enumerate().filter_map(|(slot, held)| Some((slot, held.row.as_ref()?)))
    }

    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = (usize, &mut Row)> {
        let slots = self.slots.iter_mut().enumerate();
        slots.filter_map(|(slot, held)| Some((slot, held.row.as_mut()?)))
    }

    pub(super) fn is_full(&self) -> bool {
        self.slots.iter().all(|slot| slot.row.is_some())
    }

    /// Whether another row with the same prompt has more of it ahead than the last token, which is never shared: worth waiting for.
    pub(super) fn is_prefilling(&self, prompt: &Arc<[u32]>) -> bool {
        self.rows().any(|(_, row)| Arc::ptr_eq(&row.prompt, prompt) && row.pending() > 1)
    }

    /// The best place for a sequence of `ids`: the last token always goes through the model, for its logits.
    pub(super) fn place(&self, ids: &[u32]) -> Option<Place> {
        let most = ids.len().saturating_sub(1);
        let shared = |slot: &Slot| {
            let held = slot.row.as_ref().map_or(&*slot.left, |row| &row.ids[..row.cached]);
            held.iter().zip(&ids[..most]).take_while(|(a, b)| a == b).count()
        };
        let lengths: Vec<usize> = self.slots.iter().map(shared).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let free = |slot: &usize| self.slots[*slot].row.is_none();
        let oldest =
            (0..self.slots.len()).filter(free).min_by_key(|&slot| self.slots[slot].freed)?;
        let has_longest = |slot: &usize| lengths[*slot] == longest;
        let in_place = (0..self.slots.len()).filter(free).find(has_longest);
        Some(match in_place {
            Some(slot) if longest > 0 => Place { slot, from: slot, shared: longest },
            _ if longest > 0 => {
                let from = (0..self.slots.len()).find(has_longest)?;
                Place { slot: oldest, from, shared: longest }
            }
            _ => Place { slot: oldest, from: oldest, shared: 0 },
        })
    }

    pub(super) fn put(&mut self, slot: usize, row: Row) {
        let held = &mut self.slots[slot];
        held.left.clear();
        held.row = Some(row);
    }

    /// Takes a row out; what it has in the cache stays until another row needs the slot.
    pub(super) fn free(&mut self, slot: usize) {
        self.clock += 1;
        let held = &mut self.slots[slot];
        if let Some(mut row) = held.row.take() {
            row.ids.truncate(row.cached);
            held.left = row.ids;
            held.freed = self.clock;
        }
    }

    /// The tokens that each slot has in the cache.
    pub(super) fn into_held(self) -> Vec<Vec<u32>> {
        let held = self.slots.into_iter().map(|slot| match slot.row {
            Some(mut row) => {
                row.ids.truncate(row.cached);
                row.ids
            }
            None => slot.left,
        });
        held.collect()
    }
}
