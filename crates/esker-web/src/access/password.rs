//! Passwords: argon2id, a few at once, on threads of their own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// The longest password, in bytes.
pub const PASSWORD_MAX: usize = 1_024;
/// The shortest password that is hashed, in characters.
pub const PASSWORD_MIN: usize = 8;

/// The most memory that holding a password against its hash may take, in KiB.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
/// The most rounds.
const ROUNDS_MAX: u32 = 64;
/// How many passwords are looked at at once.
const AT_ONCE_MAX: usize = 2;
/// How many may wait for that.
const WAITING_MAX: usize = 16;

/// What the password of somebody who is not known is held against: it takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash("nobody at all").unwrap_or_default());

/// The hash of a password, as it is written in a definition.
///
/// # Errors
/// Why it cannot be hashed: it is too short or too long, or the machine has no random numbers.
pub fn hash(password: &str) -> Result<String, String> {
    if password.chars().count() < PASSWORD_MIN {
        return Err(format!("it has less than {PASSWORD_MIN} characters"));
    }
    if password.len() > PASSWORD_MAX {
        return Err(format!("it has more than {PASSWORD_MAX} bytes"));
    }
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| error.to_string())
}

/// Whether a text is such a hash, of a cost that can be borne.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let hash = PasswordHash::new(text).map_err(|error| error.to_string())?;
    if hash.algorithm != Algorithm::Argon2id.ident() || hash.hash.is_none() {
        return Err("it is none of argon2id".to_owned());
    }
    let params = Params::try_from(&hash).map_err(|error| error.to_string())?;
    if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > ROUNDS_MAX {
        return Err(format!(
            "it asks for more than {MEMORY_KIB_MAX} KiB of memory or {ROUNDS_MAX} rounds"
        ));
    }
    Ok(())
}

/// Holds passwords against hashes.
pub(super) struct Passwords {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// Too many passwords are being looked at.
pub(super) struct Busy;

impl Default for Passwords {
    fn default() -> Self {
        let places = Arc::new(Semaphore::new(AT_ONCE_MAX));
        Self { places, waiting: AtomicUsize::new(0) }
    }
}

impl Passwords {
    /// Whether it is the password of this hash; never, after as long, if there is no hash.
    pub(super) async fn is_right(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Busy> {
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= AT_ONCE_MAX + WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(Busy);
        }
        let waiting = Waiting(&self.waiting);
        let place = Arc::clone(&self.places).acquire_owned().await;
        let held = tokio::task::spawn_blocking(move || {
            let is_known = hash.is_some();
            let text = hash.unwrap_or_else(|| NOBODY.clone());
            let verified = PasswordHash::new(&text).is_ok_and(|hash| {
                Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
            });
            drop(place);
            verified && is_known
        });
        let is_right = held.await.unwrap_or(false);
        drop(waiting);
        Ok(is_right)
    }
}

/// One who waits; no longer when dropped, also if they have gone.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
