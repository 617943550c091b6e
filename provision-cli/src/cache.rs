//! The cache before a store that is far away: whether there is one, and where.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};

use provision_core::driver::{Cached, Store};

use crate::render;

/// What `--cache` says for none.
const OFF: &str = "off";

/// The store at this address with a cache before it, where one is of use: reading a directory costs no more than reading its
/// copy. Where the cache can't be used that is told once, and the store is read as it is.
pub(crate) fn before(store: Arc<dyn Store>, address: &str, chosen: Option<&str>) -> Arc<dyn Store> {
    static TOLD: Once = Once::new();
    let is_far_away = address.contains("://");
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let Some(dir) = dir(chosen, set("XDG_CACHE_HOME"), set("HOME")).filter(|_| is_far_away) else { return store };
    match Cached::open(store.clone(), &dir) {
        Ok(cached) => Arc::new(cached),
        Err(error) => {
            TOLD.call_once(|| {
                render::warning(&format!(
                    "{error}; everything is read from {address} (`--cache DIR` keeps it elsewhere)"
                ));
            });
            store
        }
    }
}

/// Where copies are kept: as chosen, or in the user's cache folder; `None` for nowhere.
fn dir(chosen: Option<&str>, cache_home: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    match chosen {
        Some(OFF) => None,
        Some(dir) => Some(Path::new(dir).to_owned()),
        None => Some(cache_home.or_else(|| Some(home?.join(".cache")))?.join("provision")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use provision_core::driver::ObjectStoreBackend;

    #[test]
    fn a_cache_is_where_it_was_chosen_to_be() {
        let some = |path: &str| Some(PathBuf::from(path));
        assert_eq!(dir(None, some("/x"), some("/home/a")), some("/x/provision"));
        assert_eq!(dir(None, None, some("/home/a")), some("/home/a/.cache/provision"));
        assert_eq!(dir(None, None, None), None, "who has no home keeps nothing");
        assert_eq!(dir(Some("kept"), some("/x"), some("/home/a")), some("kept"));
        assert_eq!(dir(Some("off"), some("/x"), some("/home/a")), None);
    }

    #[test]
    fn a_cache_is_made_for_what_is_far_away_alone_and_none_is_no_failure() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(ObjectStoreBackend::memory());
        let kept = folder.path().join("kept");
        let made = |address: &str, dir: &Path| {
            !Arc::ptr_eq(&before(store.clone(), address, Some(dir.to_str().unwrap())), &store)
        };
        assert!(!made(".provision/state", &kept) && !kept.exists());
        assert!(made("s3://bucket", &kept) && kept.is_dir());
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(!made("s3://bucket", &file));
    }
}
