//! What a block takes and returns.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use super::cidr::Cidr;
use super::input::{Input, IntoInput};
use super::refs::Ref;

/// What a block's function can be given, and what it returns for others: derived, for a structure of such things.
///
/// It says two things to the engine: with which parameters a block was built, and which refs are inside, so that the
/// block waits for those that they come from.
///
/// ```
/// use provision_core::prelude::*;
///
/// #[derive(Args)]
/// pub struct Storage<D, K> {
///     pub size: u32,
///     pub volumes: Vec<Ref<K, D>>,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can neither be given to a block nor returned by one",
    note = "what a block takes and returns is recorded in its log: derive `Args` for it, `#[derive(Args)]`"
)]
pub trait Args {
    /// The erased value.
    fn to_input(&self) -> Input;
}

macro_rules! numbers {
    ($($number:ty),*) => { $(
        impl Args for $number {
            fn to_input(&self) -> Input {
                i64::try_from(*self).map_or_else(|_| self.to_string().into(), Into::into)
            }
        }
    )* };
}
numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl Args for bool {
    fn to_input(&self) -> Input {
        (*self).into()
    }
}

impl Args for str {
    fn to_input(&self) -> Input {
        self.into()
    }
}

impl Args for String {
    fn to_input(&self) -> Input {
        self.as_str().into()
    }
}

impl Args for Cidr {
    fn to_input(&self) -> Input {
        IntoInput::<Self, ()>::into_input(*self)
    }
}

impl<K, D> Args for Ref<K, D> {
    fn to_input(&self) -> Input {
        Input::output(self.raw)
    }
}

impl<T> Args for PhantomData<T> {
    fn to_input(&self) -> Input {
        Input::Null
    }
}

impl<T: Args + ?Sized> Args for &T {
    fn to_input(&self) -> Input {
        (**self).to_input()
    }
}

impl<T: Args + ?Sized> Args for Box<T> {
    fn to_input(&self) -> Input {
        (**self).to_input()
    }
}

impl<T: Args> Args for Option<T> {
    fn to_input(&self) -> Input {
        self.as_ref().map_or(Input::Null, Args::to_input)
    }
}

impl<T: Args> Args for [T] {
    fn to_input(&self) -> Input {
        Input::List(self.iter().map(Args::to_input).collect())
    }
}

impl<T: Args> Args for Vec<T> {
    fn to_input(&self) -> Input {
        self.as_slice().to_input()
    }
}

impl<T: Args, const N: usize> Args for [T; N] {
    fn to_input(&self) -> Input {
        self.as_slice().to_input()
    }
}

impl<K: ToString, T: Args> Args for BTreeMap<K, T> {
    fn to_input(&self) -> Input {
        Input::Map(self.iter().map(|(key, value)| (key.to_string(), value.to_input())).collect())
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Args),*> Args for ($($name,)*) {
            fn to_input(&self) -> Input {
                #[expect(non_snake_case, reason = "a type's name names its value")]
                let ($($name,)*) = self;
                Input::List(vec![$($name.to_input()),*])
            }
        }
    };
}
tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C E);
tuples!(A B C E F);
tuples!(A B C E F G);
tuples!(A B C E F G H);
tuples!(A B C E F G H I);

impl Args for () {
    fn to_input(&self) -> Input {
        Input::Null
    }
}
