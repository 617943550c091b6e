//! Random histories.

use crate::dice::Dice;
use crate::fault::{Kind, What};

/// A fault that can strike at an action of this kind.
pub(crate) fn draw(dice: &mut Dice, kind: Kind) -> What {
    let _ = (dice.next(), kind);
    What::Kill
}
