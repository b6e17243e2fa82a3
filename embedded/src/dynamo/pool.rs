//! Threads that work through one queue.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

use dynoxide::storage::Storage;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::store::Unfinished;

/// Work on a connection.
pub(super) type Job = Box<dyn FnOnce(&Storage) -> Outcome + Send>;

/// What a job came to.
pub(super) struct Outcome {
    /// Whether the work did what it was for. If not, what it wrote is rolled back.
    pub(super) succeeded: bool,
    pub(super) answer: Answer,
}

/// Answers the caller of a job. Dropping it tells the caller that the job may not have been done.
pub(super) type Answer = Box<dyn FnOnce()>;

/// Threads with a queue. Dropping it ends them after the queued jobs, and waits for that.
pub(super) struct Pool {
    queue: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

/// The end of the queue at which the threads take jobs. It is closed when the pool is dropped.
pub(super) type Queue = Arc<Mutex<Receiver<Job>>>;

impl Pool {
    /// Starts a thread for each worker.
    pub(super) fn start<Worker>(
        name: &str,
        workers: impl IntoIterator<Item = Worker>,
    ) -> io::Result<Self>
    where
        Worker: FnOnce(Queue) + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel();
        let queue = Arc::new(Mutex::new(receiver));
        let start = |worker: Worker| {
            let queue = Arc::clone(&queue);
            thread::Builder::new().name(name.into()).spawn(move || worker(queue))
        };
        let threads = workers.into_iter().map(start).collect::<io::Result<_>>()?;
        Ok(Self { queue: Some(sender), threads })
    }

    /// Executes work on one of the threads, and returns when the thread answers.
    pub(super) async fn execute<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Unfinished> + Send + 'static,
        F: FnOnce(&Storage) -> Result<T, E> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.submit(Box::new(move |storage| {
            let result = work(storage);
            let succeeded = result.is_ok();
            // The caller may have left.
            Outcome { succeeded, answer: Box::new(move || drop(sender.send(result))) }
        }));
        receiver.await.unwrap_or_else(|_| Err(Unfinished.into()))
    }

    /// Queues a job. If no thread is left, the job is dropped.
    fn submit(&self, job: Job) {
        if let Some(queue) = &self.queue {
            drop(queue.send(job));
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            // A job may own the last handle: a thread cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                drop(thread.join());
            }
        }
    }
}
