//! Password hashing on a pool of its own.
//!
//! Argon2id with 19 MiB and two passes (OWASP, RFC 9106) takes some 20 ms of one core. On the runtime's threads that
//! would starve every other route, so a few threads do nothing else, behind a short queue: what does not fit is refused
//! at once, and the rest of the server does not notice.

mod argon;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use misario_jose::Entropy;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use argon::Memory;

/// Sign-ins that may wait for each thread; at 20 ms each the last one waits about a third of a second.
const QUEUE_PER_THREAD: usize = 16;

/// The longest password that is hashed, in octets: all of it counts, nothing is cut off.
pub(crate) const MAX_PASSWORD: usize = 1_024;

/// The pool gives its memory back after so long without work.
const QUIET: Duration = Duration::from_secs(2);

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// The pool.
pub(crate) struct Passwords {
    queue: SyncSender<Job>,
    entropy: Arc<dyn Entropy>,
    /// The hash of nobody's password: verified where there is no user, so that time does not tell.
    nobody: Arc<str>,
}

/// The pool has no room; the sign-in was not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

impl Passwords {
    pub(crate) fn start(threads: usize, entropy: Arc<dyn Entropy>) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(threads * QUEUE_PER_THREAD);
        let jobs = Arc::new(Mutex::new(jobs));
        let memories: Arc<[_]> = (0..threads).map(|_| Mutex::new(Memory::default())).collect();
        for number in 0..threads {
            let (jobs, memories) = (Arc::clone(&jobs), Arc::clone(&memories));
            std::thread::Builder::new()
                .name(format!("password-{number}"))
                .spawn(move || work(number, &jobs, &memories))?;
        }
        let mut random = [0; 32];
        entropy.fill(&mut random);
        // Made without the pool: the server is starting, nobody waits.
        let nobody = Memory::default().hash(&random, &random[..16]).unwrap_or_default().into();
        Ok(Self { queue, entropy, nobody })
    }

    /// The PHC string of a password.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, Busy> {
        let mut salt = [0; 16];
        self.entropy.fill(&mut salt);
        let password = Zeroizing::new(password.as_bytes().to_vec());
        self.run(move |memory| memory.hash(&password, &salt)).await?.ok_or(Busy)
    }

    /// Whether `password` is the one behind `hash`. Without a hash it takes as long and is wrong.
    pub(crate) async fn verify(&self, hash: Option<&str>, password: &str) -> Result<bool, Busy> {
        let known = hash.is_some();
        let hash: Arc<str> = hash.map_or_else(|| Arc::clone(&self.nobody), Into::into);
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let right = self.run(move |memory| memory.verify(&password, &hash)).await?;
        Ok(right && known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&mut Memory) -> T + Send + 'static) -> Result<T, Busy> {
        let (answer, done) = oneshot::channel();
        let job: Job = Box::new(move |memory| {
            // A caller that went away is not waited for; its work is thrown away unread.
            let _ = answer.send(work(memory));
        });
        match self.queue.try_send(job) {
            Ok(()) => done.await.map_err(|_| Busy),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Busy),
        }
    }
}

/// What thread `number` of the pool does. Its memory is its own; whoever waits at the queue when there is nothing to do
/// gives back everybody's.
fn work(number: usize, jobs: &Mutex<Receiver<Job>>, memories: &[Mutex<Memory>]) {
    let Some(own) = memories.get(number) else { return };
    loop {
        // The lock is held only while waiting, so an idle pool has one thread at the queue and the others behind it.
        let job = {
            let queue = jobs.lock();
            match queue.recv_timeout(QUIET) {
                Err(RecvTimeoutError::Timeout) => {
                    // Who is at work has its lock.
                    memories.iter().filter_map(Mutex::try_lock).for_each(|mut memory| memory.release());
                    queue.recv().ok()
                }
                Err(RecvTimeoutError::Disconnected) => None,
                Ok(job) => Some(job),
            }
        };
        match job {
            Some(job) => job(&mut own.lock()),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use misario_tower::OsEntropy;

    #[tokio::test]
    async fn a_password_verifies_and_nothing_else_does() {
        let pool = Passwords::start(1, Arc::new(OsEntropy)).unwrap();
        let hash = pool.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(pool.verify(Some(&hash), "correct horse").await, Ok(true));
        assert_eq!(pool.verify(Some(&hash), "correct horse ").await, Ok(false));
        assert_eq!(pool.verify(None, "correct horse").await, Ok(false));
        assert_eq!(pool.verify(Some("no hash"), "x").await, Ok(false));
    }

    #[tokio::test]
    async fn an_idle_pool_holds_no_memory() {
        let pool = Passwords::start(2, Arc::new(OsEntropy)).unwrap();
        for _ in 0..8 {
            pool.verify(None, "x").await.unwrap();
        }
        let before = resident();
        let given_back = async {
            while resident() + 15 * 1024 > before {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(QUIET * 10, given_back).await.expect("19 MiB are held for nothing");
    }

    /// This process's resident memory, in KiB.
    fn resident() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    #[tokio::test]
    async fn what_does_not_fit_is_refused_at_once() {
        let pool = Arc::new(Passwords::start(1, Arc::new(OsEntropy)).unwrap());
        let attempts: Vec<_> = (0..QUEUE_PER_THREAD * 4)
            .map(|_| {
                let pool = Arc::clone(&pool);
                tokio::spawn(async move { pool.verify(None, "x").await })
            })
            .collect();
        let mut busy = 0;
        for attempt in attempts {
            busy += usize::from(attempt.await.unwrap() == Err(Busy));
        }
        assert!(busy > 0, "the queue is bounded");
        assert_eq!(pool.verify(None, "x").await, Ok(false), "and the pool goes on");
    }
}
