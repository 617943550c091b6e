//! Colours. `anstream` strips them where the output is no terminal, or `NO_COLOR` is set.

use anstyle::{AnsiColor, Effects, Style};

pub(crate) const BOLD: Style = Style::new().effects(Effects::BOLD);
pub(crate) const DIM: Style = Style::new().effects(Effects::DIMMED);
pub(crate) const RED: Style = AnsiColor::Red.on_default();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();

/// Switches colours off where the user says so.
pub(crate) fn set_colour(no_color: bool) {
    if no_color {
        anstream::ColorChoice::Never.write_global();
    }
}
