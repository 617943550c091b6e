//! The client halves of a run, each made at the first use of its target.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{Mutex, OnceCell};

use crate::check::Checker;
use crate::provider::Client;
use crate::target::TargetId;

/// Makes client halves. A run can reach targets that only the logs name, so they are made on demand.
///
/// ```
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use provision_core::check::Checker;
/// use provision_core::driver::Connector;
/// use provision_core::embed::Simulated;
/// use provision_core::provider::Client;
/// use provision_core::target::TargetId;
///
/// /// The simulated cloud, but for an account that nobody may touch.
/// struct AllBut(Simulated, &'static str);
///
/// #[async_trait]
/// impl Connector for AllBut {
///     async fn connect(&self, target: &TargetId) -> Result<Arc<dyn Client>, String> {
///         if target.account == self.1 {
///             return Err(format!("nobody touches {}", self.1));
///         }
///         self.0.connect(target).await
///     }
///
///     fn checker(&self) -> Option<Arc<dyn Checker>> {
///         self.0.checker()
///     }
/// }
/// ```
#[async_trait]
pub trait Connector: Send + Sync {
    /// The client half for a target.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    async fn connect(&self, target: &TargetId) -> Result<Arc<dyn Client>, String>;

    /// Who answers health checks where these clouds are simulated; nobody, unless this is written. What wraps another
    /// connector hands on what that one says.
    fn checker(&self) -> Option<Arc<dyn Checker>> {
        None
    }
}

/// The client halves that were made so far. Clones share them.
#[derive(Clone)]
pub struct Clients {
    connector: Arc<dyn Connector>,
    made: Arc<Mutex<BTreeMap<TargetId, Made>>>,
}

type Made = Arc<OnceCell<Arc<dyn Client>>>;

impl Clients {
    /// None yet.
    pub fn new(connector: Arc<dyn Connector>) -> Self {
        Self { connector, made: Arc::default() }
    }

    /// Who answers health checks where the clouds are simulated.
    pub fn checker(&self) -> Option<Arc<dyn Checker>> {
        self.connector.checker()
    }

    /// The client half for a target. One that could not be made is tried again at the next use.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub async fn get(&self, target: &TargetId) -> Result<Arc<dyn Client>, String> {
        let cell = self.made.lock().await.entry(target.clone()).or_default().clone();
        cell.get_or_try_init(|| self.connector.connect(target)).await.cloned()
    }
}

/// Exactly these; none, for verbs that only read the store.
#[async_trait]
impl Connector for BTreeMap<TargetId, Arc<dyn Client>> {
    async fn connect(&self, target: &TargetId) -> Result<Arc<dyn Client>, String> {
        self.get(target).cloned().ok_or_else(|| format!("there is no client for target {target}"))
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self::new(Arc::new(BTreeMap::new()))
    }
}
