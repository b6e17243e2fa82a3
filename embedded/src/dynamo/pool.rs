//! Threads that work through one queue.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

use parking_lot::Mutex;

/// Threads with a queue. Dropping it ends them after the queued jobs, and waits for that.
pub(super) struct Pool<Job> {
    queue: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

/// The end of the queue at which the threads take jobs. It is closed when the pool is dropped.
pub(super) type Queue<Job> = Arc<Mutex<Receiver<Job>>>;

impl<Job: Send + 'static> Pool<Job> {
    /// Starts a thread for each worker.
    pub(super) fn start<Worker>(
        name: &str,
        workers: impl IntoIterator<Item = Worker>,
    ) -> io::Result<Self>
    where
        Worker: FnOnce(Queue<Job>) + Send + 'static,
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

    /// Queues a job. If no thread is left, the job is dropped.
    pub(super) fn submit(&self, job: Job) {
        if let Some(queue) = &self.queue {
            drop(queue.send(job));
        }
    }
}

impl<Job> Drop for Pool<Job> {
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
