//! Which edit of the code this is.

/// What the code says; each but the first is one edit of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    First,
    OtherPort,
    OtherDescription,
    OtherZone,
    OtherOutputs,
    NoWeb,
    Wrong,
    /// A second subnet has the range of the first one.
    Taken,
    /// Two data centres of many blocks, to be looked at while they are applied.
    Many,
    /// The same; one resource can't be made.
    ManyFailing,
    /// Staging has a health check, and production waits for it.
    Checked,
    /// The group has another name, and says so.
    Renamed,
    /// The group is in another block, and says so.
    Moved,
    /// The group is protected.
    Protected,
    /// It is protected, and a change would replace it.
    ProtectedOtherDescription,
    /// The group's rules are left alone.
    Ignoring,
    /// They are left alone, and defined otherwise.
    IgnoringOtherPort,
    /// A group of another block refers to the group.
    App,
    /// The group that is referred to is replaced.
    AppOtherDescription,
    /// It is replaced, and the old one goes first.
    AppDeleteFirst,
    /// Fields that may be left out are set.
    FieldsSet,
    /// They are left out.
    FieldsUnset,
    /// A machine starts from an image that is looked up.
    Image,
    /// A block uses what a block of another data centre returned.
    Crossing,
    /// The example: all of `infra-defs`.
    Company,
    /// Its dispatchers in staging are larger.
    CompanyLarger,
    /// One of its bastions is open to the world.
    CompanyOpen,
}

/// The edit that `SCENARIO` names; the first one where it names none.
#[expect(clippy::disallowed_methods, reason = "the tests choose the edit by it")]
pub(crate) fn code() -> Code {
    match std::env::var("SCENARIO").as_deref() {
        Ok("other-port") => Code::OtherPort,
        Ok("other-description") => Code::OtherDescription,
        Ok("other-zone") => Code::OtherZone,
        Ok("other-outputs") => Code::OtherOutputs,
        Ok("no-web") => Code::NoWeb,
        Ok("wrong") => Code::Wrong,
        Ok("taken") => Code::Taken,
        Ok("many") => Code::Many,
        Ok("many-failing") => Code::ManyFailing,
        Ok("checked") => Code::Checked,
        Ok("renamed") => Code::Renamed,
        Ok("moved") => Code::Moved,
        Ok("protected") => Code::Protected,
        Ok("protected-other-description") => Code::ProtectedOtherDescription,
        Ok("ignoring") => Code::Ignoring,
        Ok("ignoring-other-port") => Code::IgnoringOtherPort,
        Ok("app") => Code::App,
        Ok("app-other-description") => Code::AppOtherDescription,
        Ok("app-delete-first") => Code::AppDeleteFirst,
        Ok("fields-set") => Code::FieldsSet,
        Ok("fields-unset") => Code::FieldsUnset,
        Ok("image") => Code::Image,
        Ok("crossing") => Code::Crossing,
        Ok("company") => Code::Company,
        Ok("company-larger") => Code::CompanyLarger,
        Ok("company-open") => Code::CompanyOpen,
        _ => Code::First,
    }
}
