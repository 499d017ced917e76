//! Round trips a second: in process and over tcp, against an echo over plain tcp in the same run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_bus::bus::{Binds, Bus};
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::service::{Frames, Outcome, Service};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const DEADLINE: Duration = Duration::from_secs(10);
const RUN: Duration = Duration::from_secs(2);

struct Echo;

impl Service for Echo {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        let outcome = |reply: &Frames| Outcome::reply(reply.clone());
        requests.iter().map(outcome).collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        Vec::new()
    }
}

/// Round trips a second of `width` tasks that each do `trip` again and again.
async fn rate<F, T>(width: usize, trip: F) -> f64
where
    F: Fn() -> T + Send + Sync + 'static,
    T: Future<Output = ()> + Send,
{
    let trip = Arc::new(trip);
    let began = Instant::now();
    let tasks: Vec<_> = (0..width)
        .map(|_| {
            let trip = Arc::clone(&trip);
            tokio::spawn(async move {
                let mut count = 0_u32;
                while began.elapsed() < RUN {
                    trip().await;
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut total = 0.0;
    for task in tasks {
        total += f64::from(task.await.expect("no trip panics"));
    }
    total / began.elapsed().as_secs_f64()
}

async fn calls(caller: Caller, width: usize, bytes: usize) -> f64 {
    let frames = vec![Bytes::from_static(b"=====esker/1 ECHO"), Bytes::from(vec![7; bytes])];
    rate(width, move || {
        let (caller, frames) = (caller.clone(), frames.clone());
        async move {
            let reply = caller.exchange(frames, DEADLINE).await;
            assert!(reply.is_ok(), "{reply:?}");
        }
    })
    .await
}

/// One connection per task: the plain way to have as many under way.
async fn plain(width: usize, bytes: usize) -> std::io::Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let accepting = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.set_nodelay(true)?;
                let mut buffer = vec![0; bytes];
                loop {
                    stream.read_exact(&mut buffer).await?;
                    stream.write_all(&buffer).await?;
                }
                #[expect(unreachable_code, reason = "says what the task returns")]
                Ok::<(), std::io::Error>(())
            });
        }
    });
    let (give, take) = (Arc::new(tokio::sync::Mutex::new(Vec::new())), width);
    for _ in 0..take {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        give.lock().await.push(stream);
    }
    let rate = rate(width, move || {
        let give = Arc::clone(&give);
        async move {
            let mut stream = give.lock().await.pop().expect("one for each task");
            let mut buffer = vec![7; bytes];
            stream.write_all(&buffer).await.expect("the echo is there");
            stream.read_exact(&mut buffer).await.expect("the echo is there");
            give.lock().await.push(stream);
        }
    })
    .await;
    accepting.abort();
    Ok(rate)
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it finds")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bus = Bus::start()?;
    let binds = Binds { requests: vec!["tcp://127.0.0.1:0".to_owned()], ..Binds::default() };
    let server = bus.serve("echo", Echo, &binds)?;
    let tcp = Endpoint::Tcp {
        requests: server.requests()[0].clone(),
        events: server.requests()[0].clone(),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    println!("round trips/s, and their ratio to plain tcp");
    for (width, bytes) in [(1, 100), (64, 100), (4, 1_000_000)] {
        let base = runtime.block_on(plain(width, bytes))?;
        println!("{width:>3} under way, {bytes:>7} bytes: plain tcp {base:>9.0}");
        for (name, to) in [("in process", &server.local()), ("bus over tcp", &tcp)] {
            let rate = runtime.block_on(calls(bus.caller(to), width, bytes));
            println!("{name:>37} {rate:>9.0} {:>6.2}", rate / base);
        }
    }
    server.shutdown();
    Ok(())
}
