//! Threads that wait for work on their toes.
//!
//! Decoding a token makes more than a hundred short parallel calls one after another. Waking a sleeping thread takes
//! longer than many of them: a member of the team spins for a while after each call before it lies down.

#![expect(unsafe_code, reason = "a borrowed closure is lent to threads that outlive the borrow")]

#[cfg(test)]
mod tests;

use std::any::Any;
use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long a member spins after its last call.
const SPIN: Duration = Duration::from_micros(80);
/// Turns of a spinning loop between looks at the clock.
const TURNS: usize = 64;
/// Set in the gate while members may enter.
const OPEN: u64 = 1 << 31;
/// The members inside.
const INSIDE: u64 = OPEN - 1;
/// Where the number of the call begins.
const CALL: u32 = 32;

/// The threads of a process that help a caller with its parts.
pub(crate) struct Team {
    /// Taken by the caller whose parts are being worked on.
    taken: AtomicBool,
    shared: Arc<Shared>,
    members: Mutex<Vec<Arc<Member>>>,
}

struct Shared {
    /// The number of the call, whether it is open, and how many members are inside.
    gate: AtomicU64,
    /// Written while the gate is closed and nobody is inside; read from inside only.
    call: UnsafeCell<Option<Call>>,
    /// Members that may enter.
    helpers: AtomicUsize,
    /// The next part that nobody has.
    next: AtomicUsize,
    /// The first panic of a member.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `call` is guarded by the gate; its closure is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: as above; the pointer in it is followed only while its closure is borrowed.
unsafe impl Send for Shared {}

#[derive(Clone, Copy)]
struct Call {
    part: *const (dyn Fn(usize) + Sync),
    n_parts: usize,
}

struct Member {
    asleep: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Team {
    /// The one team of the process; its threads start when they are first needed.
    pub(crate) fn of_process() -> &'static Self {
        static TEAM: OnceLock<Team> = OnceLock::new();
        TEAM.get_or_init(Self::new)
    }

    fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            shared: Arc::new(Shared {
                gate: AtomicU64::new(0),
                call: UnsafeCell::new(None),
                helpers: AtomicUsize::new(0),
                next: AtomicUsize::new(0),
                panic: Mutex::new(None),
            }),
            members: Mutex::new(Vec::new()),
        }
    }

    /// Calls `part` once for each number below `n_parts` on `threads` threads, the caller's among them.
    ///
    /// `false`, and nothing done, where the team is at work for another caller or for a caller of this one.
    pub(crate) fn run(
        &self,
        threads: usize,
        n_parts: usize,
        part: &(dyn Fn(usize) + Sync),
    ) -> bool {
        if self.taken.swap(true, Ordering::Acquire) {
            return false;
        }
        let shared = &*self.shared;
        // SAFETY: the lifetime is forgotten, but `call` is not read after this function: members are inside only between
        // the opening and the end of the wait below, which no panic of a part leaves out.
        let part = unsafe {
            std::mem::transmute::<
                *const (dyn Fn(usize) + Sync + '_),
                *const (dyn Fn(usize) + Sync + 'static),
            >(part)
        };
        let call = Call { part, n_parts };
        // SAFETY: this caller has the team, the gate is closed and nobody is inside.
        unsafe { *shared.call.get() = Some(call) };
        shared.next.store(0, Ordering::Relaxed);
        shared.helpers.store(threads - 1, Ordering::Relaxed);
        let number = (shared.gate.load(Ordering::Relaxed) >> CALL).wrapping_add(1);
        shared.gate.store(number << CALL | OPEN, Ordering::SeqCst);
        self.wake(threads - 1);

        let own = catch_unwind(AssertUnwindSafe(|| shared.work(call)));
        if own.is_err() {
            shared.next.store(n_parts, Ordering::Relaxed);
        }
        shared.gate.fetch_and(!OPEN, Ordering::AcqRel);
        let mut turns = 0;
        while shared.gate.load(Ordering::Acquire) & INSIDE != 0 {
            turns += 1;
            // A member that is inside may have lost its processor to somebody who waits.
            if turns % TURNS == 0 { thread::yield_now() } else { spin_loop() }
        }
        let theirs = shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.taken.store(false, Ordering::Release);
        if let Some(panic) = own.err().or(theirs) {
            resume_unwind(panic);
        }
        true
    }

    /// Wakes the first `helpers` members, and starts those who are missing. Where a thread cannot be started, fewer help.
    fn wake(&self, helpers: usize) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        while members.len() < helpers {
            let member =
                Arc::new(Member { asleep: AtomicBool::new(false), thread: OnceLock::new() });
            let index = members.len();
            let (shared, own) = (Arc::clone(&self.shared), Arc::clone(&member));
            let name = format!("kernels-{}", index + 1);
            let started =
                thread::Builder::new().name(name).spawn(move || shared.wait_and_work(index, &own));
            match started {
                Ok(handle) => _ = member.thread.set(handle.thread().clone()),
                Err(_) => break,
            }
            members.push(member);
        }
        for member in members.iter().take(helpers) {
            if member.asleep.load(Ordering::SeqCst)
                && let Some(thread) = member.thread.get()
            {
                thread.unpark();
            }
        }
    }
}

impl Shared {
    /// The life of a member.
    fn wait_and_work(&self, index: usize, member: &Member) {
        let mut seen = 0;
        loop {
            let gate = self.next_call(seen, member);
            seen = gate >> CALL;
            if index >= self.helpers.load(Ordering::Relaxed) {
                continue;
            }
            let mut gate = gate;
            // Others may go in and out meanwhile.
            while gate & OPEN != 0 && gate >> CALL == seen {
                match self.gate.compare_exchange_weak(
                    gate,
                    gate + 1,
                    Ordering::AcqRel,
                    Ordering::Relaxed,
                ) {
                    Ok(_) => {
                        self.help();
                        self.gate.fetch_sub(1, Ordering::AcqRel);
                        break;
                    }
                    Err(now) => gate = now,
                }
            }
        }
    }

    /// The gate at the first open call other than `seen`.
    fn next_call(&self, seen: u64, member: &Member) -> u64 {
        let open = |gate: u64| gate & OPEN != 0 && gate >> CALL != seen;
        loop {
            let start = Instant::now();
            while start.elapsed() < SPIN {
                for _ in 0..TURNS {
                    let gate = self.gate.load(Ordering::Acquire);
                    if open(gate) {
                        return gate;
                    }
                    spin_loop();
                }
            }
            // A caller opens first and looks for sleepers then; a member says that it sleeps first and looks at the gate then.
            member.asleep.store(true, Ordering::SeqCst);
            while !open(self.gate.load(Ordering::SeqCst)) {
                thread::park();
            }
            member.asleep.store(false, Ordering::SeqCst);
        }
    }

    /// What a member does inside.
    fn help(&self) {
        // SAFETY: this thread is inside, so that the call is there and its closure is borrowed.
        if let Some(call) = unsafe { *self.call.get() }
            && let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.work(call)))
        {
            self.next.store(call.n_parts, Ordering::Relaxed);
            self.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
        }
    }

    /// Takes parts until there are none.
    fn work(&self, call: Call) {
        // SAFETY: the caller waits for everybody who is inside, and it is itself.
        let part = unsafe { &*call.part };
        loop {
            let i = self.next.fetch_add(1, Ordering::Relaxed);
            if i >= call.n_parts {
                return;
            }
            part(i);
        }
    }
}
