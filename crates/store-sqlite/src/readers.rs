//! The threads that read. Each has a connection of its own; they take their work from one queue.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::failure::Failure;

/// How many readings may wait.
pub(crate) const QUEUE: usize = 1024;

/// A reading that carries its own way to answer; or the word that the store closes.
pub(crate) enum Order {
    Read(Box<dyn FnOnce(&Connection) + Send>),
    Close,
}

/// A reading and where its answer comes from. All its statements see the file at one moment.
pub(crate) fn reading<T: Send + 'static>(
    work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
) -> (Order, oneshot::Receiver<Result<T, Failure>>) {
    let (reply, answer) = oneshot::channel();
    let order = Order::Read(Box::new(move |connection| {
        // Nobody waits any more: the caller's time was up.
        if !reply.is_closed() {
            let _ = reply.send(at_one_moment(connection, work));
        }
    }));
    (order, answer)
}

fn at_one_moment<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let transaction = connection.unchecked_transaction()?;
    let answer = work(&transaction)?;
    transaction.finish()?;
    Ok(answer)
}

/// Starts a thread per connection.
pub(crate) fn start(
    connections: Vec<Connection>,
    queue: mpsc::Receiver<Order>,
) -> std::io::Result<Vec<JoinHandle<()>>> {
    let queue = Arc::new(Mutex::new(queue));
    let threads = connections.into_iter().map(|connection| {
        let queue = Arc::clone(&queue);
        thread::Builder::new().name("misario-store-read".to_owned()).spawn(move || run(&connection, &queue))
    });
    threads.collect()
}

fn run(connection: &Connection, queue: &Mutex<mpsc::Receiver<Order>>) {
    loop {
        // One thread waits for work, the others wait for their turn to wait.
        let mut turn = queue.lock();
        let order = turn.blocking_recv();
        match order {
            Some(Order::Read(work)) => {
                drop(turn);
                work(connection);
            }
            // What is still in the queue is answered; nothing more gets in.
            Some(Order::Close) => turn.close(),
            None => return,
        }
    }
}
