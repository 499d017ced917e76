//! Reading a table field by field, and never behind its end.

use crate::fault::Fault;

/// A place in a table.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(table: &'a [u8]) -> Self {
        Self { rest: table }
    }

    /// The next so many bytes.
    ///
    /// # Errors
    /// `bad-request` if there are not so many.
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(|| {
            Fault::bad_request("a bulk message's table ends in the middle of an item")
        })?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let bytes = self.bytes(N)?;
        Ok(bytes.try_into().expect("as many bytes as were asked for"))
    }

    pub(super) fn u8(&mut self) -> Result<u8, Fault> {
        self.array::<1>().map(|bytes| bytes[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Fault> {
        self.array().map(u64::from_le_bytes)
    }

    /// Holds that nothing is left.
    ///
    /// # Errors
    /// `bad-request` otherwise.
    pub(super) fn end(&self) -> Result<(), Fault> {
        match self.rest {
            [] => Ok(()),
            rest => {
                let text =
                    format!("a bulk message's table has {} bytes more than its items", rest.len());
                Err(Fault::bad_request(text))
            }
        }
    }
}
