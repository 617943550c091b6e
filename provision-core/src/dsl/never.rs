//! What must never be: [`Infrastructure::never`](super::Infrastructure::never), [`Block::never`](super::Block::never).

use super::input::{Filling, Hole, Input, Part};
use super::record::Record;
use super::refs::{Origin, RawRef};
use crate::desired::Location;
use crate::reach::{Never, Question};

impl Record {
    pub(crate) fn never(&mut self, from: &str, to: &str, at: &Location) {
        match Question::parse(from, to) {
            Ok(question) => self.nevers.push(Never { question, location: at.clone() }),
            Err(bad) => self.finding(at, "never", bad.to_string()),
        }
    }

    /// The same, of places that a block names by refs.
    pub(crate) fn block_never(&mut self, block: usize, from: &Input, to: &Input, at: &Location) {
        let mut problems = from.problems();
        problems.extend(to.problems());
        let mut foreign = false;
        for place in [from, to] {
            place.each_output(&mut |raw| foreign |= raw.infra != self.id);
        }
        if foreign {
            problems.push("a ref of another `Infrastructure`; use those that this one's blocks returned".to_owned());
        }
        let label = format!("{}, never", self.blocks[block].label);
        for problem in &problems {
            self.finding(at, &label, problem.as_str());
        }
        // A place without an address has a bad name, which is a finding already.
        if let (true, Some(from), Some(to)) = (problems.is_empty(), self.place(from), self.place(to)) {
            self.never(&from, &to, at);
        }
    }

    /// A text in which a ref stands for the address of what it points at.
    fn place(&self, text: &Input) -> Option<String> {
        let address = |raw: RawRef| match raw.of {
            Origin::Resource(index) => Some(self.resources.get(index)?.addr()?.to_string()),
            Origin::Lookup(index) => Some(self.lookups.get(index)?.called.addr()?.to_string()),
        };
        let part = |part: &Part| match part {
            Part::Literal(text) => Some(text.clone()),
            Part::Output(raw) => address(*raw),
            Part::Problem(_) => None,
        };
        match text {
            Input::Symbol(Hole(Filling::Output(raw))) => address(*raw),
            Input::Symbol(Hole(Filling::Text(parts))) => parts.iter().map(part).collect(),
            known => known.as_text().map(str::to_owned),
        }
    }
}
