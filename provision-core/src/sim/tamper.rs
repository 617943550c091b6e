//! What third parties do behind our back: they obey the cloud's rules, but none of ours.

use thiserror::Error;

use super::cloud::SimCloud;
use super::model::{MarkChange, Mutation};
use super::rules::{NewObject, Refused};
use crate::call::{Mark, Refusal, ServerTime, Wait};
use crate::id::{ObjectId, TypeName};
use crate::target::TargetId;
use crate::value::Fields;

/// Something that a third party does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tamper {
    /// Makes an object, with any mark.
    Create {
        /// Where.
        target: TargetId,
        /// Of what type.
        type_name: TypeName,
        /// With which fields.
        fields: Fields,
        /// With which mark.
        mark: Option<Mark>,
        /// Under which name, if names are unique.
        name: Option<String>,
    },
    /// Sets fields; `Null` unsets.
    Set {
        /// Of which object.
        id: ObjectId,
        /// The fields.
        fields: Fields,
    },
    /// Sets the mark, or takes it off.
    Mark {
        /// Of which object.
        id: ObjectId,
        /// The new mark.
        mark: Option<Mark>,
    },
    /// Makes an object fail: it never gets ready.
    Fail {
        /// Which object.
        id: ObjectId,
        /// What a read will say.
        reason: String,
    },
    /// Removes an object, at once.
    Remove {
        /// Which object.
        id: ObjectId,
    },
}

/// Why the cloud refuses what a third party asks for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{refusal}: {message}")]
pub struct TamperError {
    /// What the refusal means.
    pub refusal: Refusal,
    /// What is wrong.
    pub message: String,
}

impl From<Refused> for TamperError {
    fn from(refused: Refused) -> Self {
        Self { refusal: refused.refusal, message: refused.message }
    }
}

impl SimCloud {
    /// Does something behind the runners' back. The id is the created object's.
    ///
    /// # Errors
    /// What the cloud's own rules refuse: removing what is in use, referring to what is not there.
    pub fn tamper(&mut self, now: ServerTime, tamper: &Tamper) -> Result<Option<ObjectId>, TamperError> {
        let did = self.decide_tamper(now, tamper)?;
        let id = created(did.as_ref());
        self.commit(now, did).map_err(|bad| TamperError { refusal: Refusal::Invalid, message: bad.to_string() })?;
        Ok(id)
    }

    /// What a third party does, not done yet.
    pub(super) fn decide_tamper(&self, now: ServerTime, tamper: &Tamper) -> Result<Option<Mutation>, TamperError> {
        let rules = self.rules(now);
        Ok(match tamper {
            Tamper::Create { target, type_name, fields, mark, name } => {
                let new = NewObject {
                    target,
                    type_name,
                    fields,
                    computed: &[],
                    mark: mark.as_ref(),
                    name: name.as_deref(),
                    key: None,
                    wait: Wait::No,
                };
                let (object, _) = rules.create(&new)?;
                Some(Mutation::Created { object: Box::new(object), token: None })
            }
            Tamper::Set { id, fields } => rules.set(self.place(now, id)?, fields, MarkChange::Keep, Wait::No)?,
            Tamper::Mark { id, mark } => {
                let mark = mark.clone().map_or(MarkChange::Off, MarkChange::To);
                rules.set(self.place(now, id)?, &Fields::new(), mark, Wait::No)?
            }
            Tamper::Fail { id, reason } => {
                self.place(now, id)?;
                Some(Mutation::Failed { id: id.clone(), reason: reason.clone() })
            }
            Tamper::Remove { id } => rules.remove(self.place(now, id)?, Wait::No)?,
        })
    }

    fn place<'a>(
        &'a self,
        now: ServerTime,
        id: &'a ObjectId,
    ) -> Result<(&'a TargetId, &'a TypeName, &'a ObjectId), TamperError> {
        match self.model.object(now, id) {
            Some(object) => Ok((&object.target, &object.type_name, id)),
            None => Err(TamperError { refusal: Refusal::NotFound, message: format!("there is no {id}") }),
        }
    }
}

/// The id of what a mutation created.
pub(super) fn created(did: Option<&Mutation>) -> Option<ObjectId> {
    match did {
        Some(Mutation::Created { object, .. }) => Some(object.id.clone()),
        Some(Mutation::Changed { .. } | Mutation::Failed { .. } | Mutation::Removed { .. }) | None => None,
    }
}
