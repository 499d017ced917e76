//! The limit of what a connection can carry: a server that reads what it is sent and throws it away, and sends as many
//! bytes as it is asked for. In a process of its own.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

use anyhow::{Result, bail};

use crate::say;

/// To be followed by a number of eight bytes, and as many bytes; one byte answers it.
pub(super) const SET: u8 = b's';
/// To be followed by a number of eight bytes; as many bytes answer it.
pub(super) const GET: u8 = b'g';

/// The most bytes that are asked for.
const SIZE_MAX: u64 = 64 << 20;

/// Serves on a free port, which it says, until it is killed.
pub(crate) fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    say::line(listener.local_addr()?.port().to_string())?;
    std::io::stdout().flush()?;
    for stream in listener.incoming() {
        let stream = stream?;
        // It ends with its connection.
        drop(std::thread::spawn(move || talk(stream)));
    }
    Ok(())
}

fn talk(mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut content = Vec::new();
    loop {
        let mut asked = [0; 9];
        match stream.read_exact(&mut asked) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            ended => ended?,
        }
        let [verb, size @ ..] = asked;
        let size = u64::from_le_bytes(size);
        if size > SIZE_MAX {
            bail!("{size} bytes are too many");
        }
        content.resize(size as usize, 0);
        match verb {
            SET => {
                stream.read_exact(&mut content)?;
                stream.write_all(b".")?;
            }
            GET => stream.write_all(&content)?,
            _ => bail!("byte {verb} asks nothing"),
        }
    }
}
