//! Texts with refs inside: user data, addresses, names of other things.

use std::marker::PhantomData;

use super::args::Args;
use super::block::{Added, Resource};
use super::cidr::Cidr;
use super::input::{Filling, Hole, Input, IntoInput, Part};
use super::refs::{Ref, SameDc};

/// A text that may hold refs of data centre `D`; they are filled in at apply. Written `text!("host={}", vm.private_ip())`.
///
/// ```
/// use provision_core::prelude::*;
/// # fn f<K, D: DataCentre>(host: Ref<K, D>) -> Text<D> {
/// text!("#!/bin/sh\necho {host} > /etc/peer\n")
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Text<D> {
    parts: Vec<Part>,
    of: PhantomData<fn() -> D>,
}

impl<D> Text<D> {
    /// The empty text.
    pub fn new() -> Self {
        Self { parts: Vec::new(), of: PhantomData }
    }

    /// The text with `piece` at its end.
    #[must_use]
    pub fn push(mut self, piece: impl IntoText<D>) -> Self {
        piece.append_to(&mut self);
        self
    }

    fn literal(&mut self, text: &str) {
        if let Some(Part::Literal(last)) = self.parts.last_mut() {
            last.push_str(text);
        } else if !text.is_empty() {
            self.parts.push(Part::Literal(text.to_owned()));
        }
    }
}

impl<D> Default for Text<D> {
    fn default() -> Self {
        Self::new()
    }
}

/// What can be put into a text of data centre `D`.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` cannot be put into a text",
    note = "texts hold strings, numbers, networks, zones and refs"
)]
pub trait IntoText<D> {
    /// Appends it.
    fn append_to(self, text: &mut Text<D>);
}

macro_rules! displayed {
    ($($from:ty),*) => { $(
        impl<D> IntoText<D> for $from {
            fn append_to(self, text: &mut Text<D>) {
                text.literal(&self.to_string());
            }
        }
    )* };
}
displayed!(&String, String, char, bool, u8, u16, u32, u64, i8, i16, i32, i64, usize);

impl<D> IntoText<D> for &str {
    fn append_to(self, text: &mut Text<D>) {
        text.literal(self);
    }
}

impl<D> IntoText<D> for Cidr {
    fn append_to(self, text: &mut Text<D>) {
        match self.problem() {
            None => text.literal(&self.to_string()),
            Some(problem) => text.parts.push(Part::Problem(problem)),
        }
    }
}

impl<D> IntoText<D> for Text<D> {
    fn append_to(self, text: &mut Self) {
        for part in self.parts {
            match part {
                Part::Literal(literal) => text.literal(&literal),
                other => text.parts.push(other),
            }
        }
    }
}

impl<K, D, O: SameDc<D>> IntoText<D> for Ref<K, O> {
    fn append_to(self, text: &mut Text<D>) {
        text.parts.push(Part::Output(self.raw));
    }
}

impl<K, D, O: SameDc<D>> IntoText<D> for &Ref<K, O> {
    fn append_to(self, text: &mut Text<D>) {
        (*self).append_to(text);
    }
}

impl<D, R: Resource, O: SameDc<D>> IntoText<D> for Added<'_, R, O> {
    fn append_to(self, text: &mut Text<D>) {
        self.id().append_to(text);
    }
}

impl<D> IntoInput<String, D> for Text<D> {
    fn into_input(self) -> Input {
        self.to_input()
    }
}

impl<D> Args for Text<D> {
    fn to_input(&self) -> Input {
        match self.parts.as_slice() {
            [] => "".into(),
            [Part::Literal(text)] => text.as_str().into(),
            parts => Input::Symbol(Hole(Filling::Text(parts.to_vec()))),
        }
    }
}
