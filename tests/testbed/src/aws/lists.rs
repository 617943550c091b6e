//! The list in a describe answer: which of its items stay, and pages of it.
//!
//! Works on the text: what is not taken out stays byte for byte what the server wrote.

use std::{collections::BTreeMap, ops::Range};

use roxmltree::{Document, Node};

use super::model::Paged;

/// The text contents of every element of this name.
pub(crate) fn texts_of(xml: &str, element: &str) -> Vec<String> {
    let Ok(document) = Document::parse(xml) else {
        return Vec::new();
    };
    let named = document.descendants().filter(|node| node.has_tag_name_anywhere(element));
    named.filter_map(|node| node.text()).map(str::to_owned).collect()
}

/// The answer without the items of its list whose `id_element` is hidden. An instance is an item of its
/// reservation; a reservation without instances goes too.
pub(crate) fn without_items(xml: &str, id_element: &str, hidden: impl Fn(&str) -> bool) -> String {
    let Ok(document) = Document::parse(xml) else {
        return xml.to_owned();
    };
    let is_hidden = |item: &Node| {
        let mut own = elements(*item).filter(|child| child.has_tag_name_anywhere(id_element));
        own.next().and_then(|id| id.text()).is_some_and(&hidden)
    };
    let mut cuts = Vec::new();
    for item in items(&document) {
        let nested = elements(item).find(|child| child.has_tag_name_anywhere("instancesSet"));
        if let Some(instances) = nested {
            let (gone, stay): (Vec<_>, Vec<_>) = elements(instances).partition(is_hidden);
            match stay.as_slice() {
                [] => cuts.push((item.range(), String::new())),
                _ => cuts.extend(gone.iter().map(|node| (node.range(), String::new()))),
            }
        } else if is_hidden(&item) {
            cuts.push((item.range(), String::new()));
        }
    }
    edited(xml, &cuts)
}

/// The items directly in the list of an answer, as text: in the order in which they stand there.
pub(crate) fn items_of(xml: &str, page: &Paged) -> Vec<String> {
    let Ok(document) = Document::parse(xml) else {
        return Vec::new();
    };
    list(&document, page).map_or_else(Vec::new, |list| inner(xml, list, page).map(str::to_owned).collect())
}

/// The answer with these items in its list instead of its own, and nothing about a next page.
pub(crate) fn with_items(xml: &str, page: &Paged, items: &[String]) -> String {
    with_page(xml, page, &items.concat(), None)
}

/// The answer with this in its list, and what it says about the next page.
fn with_page(xml: &str, page: &Paged, items: &str, next: Option<&str>) -> String {
    let Ok(document) = Document::parse(xml) else {
        return xml.to_owned();
    };
    let Some(list) = list(&document, page) else {
        return xml.to_owned();
    };
    let range = list.range();
    let mut said = next.map_or_else(String::new, |token| format!("<{0}>{token}</{0}>", page.next));
    if let Some(more) = &page.more {
        said.push_str(&format!("<{more}>{}</{more}>", next.is_some()));
    }
    // The start tag as it is written, with its namespace if it has one.
    let tag = xml[range.clone()].find('>').map_or("", |end| xml[range.start..range.start + end].trim_end_matches('/'));
    let whole = format!("{tag}>{items}</{}>{said}", page.list);
    let others = |node: &Node<'_, '_>| {
        let is_said = |name: &String| node.has_tag_name_anywhere(name);
        is_said(&page.next) || page.more.as_ref().is_some_and(is_said)
    };
    let siblings = list.parent_element().into_iter().flat_map(elements);
    let mut edits: Vec<_> = siblings.filter(others).map(|node| (node.range(), String::new())).collect();
    edits.push((range, whole));
    edits.sort_by_key(|(range, _)| range.start);
    edited(xml, &edits)
}

/// The list of an answer: below the root, or below the one element that a query call's result is in.
fn list<'a>(document: &'a Document<'a>, page: &Paged) -> Option<Node<'a, 'a>> {
    let root = document.root_element();
    let named = |node: Node<'a, 'a>| elements(node).find(|child| child.has_tag_name_anywhere(&page.list));
    named(root).or_else(|| elements(root).find_map(named))
}

fn inner<'a>(xml: &'a str, list: Node<'a, 'a>, page: &'a Paged) -> impl Iterator<Item = &'a str> {
    elements(list).filter(|item| item.has_tag_name_anywhere(&page.item)).map(|item| &xml[item.range()])
}

/// What the server says is the next page of its own.
pub(crate) fn next_of(xml: &str, page: &Paged) -> Option<String> {
    let document = Document::parse(xml).ok()?;
    let siblings = list(&document, page)?.parent_element().into_iter().flat_map(elements);
    let next = siblings.filter(|node| node.has_tag_name_anywhere(&page.next)).find_map(|node| node.text());
    next.map(str::to_owned).filter(|token| !token.is_empty())
}

/// What is left of lists that were handed out in part, by the token that was handed out with them.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    rest: BTreeMap<String, Rest>,
    tokens: usize,
}

#[derive(Debug, Clone)]
struct Rest {
    action: String,
    /// The whole answer, whose list the items replace.
    answer: String,
    items: Vec<String>,
}

impl Pages {
    /// The first page of an answer and, if there is more, a token in it for the next. The pages that follow
    /// show the list as it was now.
    pub(crate) fn first(&mut self, action: &str, page: &Paged, xml: &str, size: usize) -> String {
        let items = items_of(xml, page);
        if items.len() <= size {
            return xml.to_owned();
        }
        self.page(Rest { action: action.to_owned(), answer: xml.to_owned(), items }, page, size)
    }

    /// The page that a token stands for. Nothing if it was not handed out for this action. A token stays
    /// good: a caller may ask again for a page whose answer was lost.
    pub(crate) fn next(&mut self, action: &str, page: &Paged, token: &str, size: usize) -> Option<String> {
        let rest = self.rest.get(token).filter(|rest| rest.action == action)?.clone();
        Some(self.page(rest, page, size))
    }

    fn page(&mut self, mut rest: Rest, page: &Paged, size: usize) -> String {
        let size = size.max(1);
        let later = rest.items.split_off(size.min(rest.items.len()));
        if later.is_empty() {
            return with_items(&rest.answer, page, &rest.items);
        }
        self.tokens += 1;
        // Opaque: nothing can be computed from it, and it is not valid as anything else.
        let token = format!("testbed+page/{:08x}==", self.tokens.wrapping_mul(0x9E37_79B1) & 0xFFFF_FFFF);
        let shown = with_page(&rest.answer, page, &rest.items.concat(), Some(&token));
        self.rest.insert(token, Rest { items: later, ..rest });
        shown
    }
}

/// The items of the list in an answer: the first element that has nothing but items, below the root or below the element
/// that a query call's result is in.
fn items<'a>(document: &'a Document<'a>) -> Vec<Node<'a, 'a>> {
    let all_items = |list: &Node<'a, 'a>| {
        let mut children = elements(*list).peekable();
        let is_item = |child: &Node<'a, 'a>| ["item", "member", "HostedZone"].contains(&child.tag_name().name());
        children.peek().is_some() && children.all(|child| is_item(&child))
    };
    let root = document.root_element();
    let result = elements(root).find(|child| child.tag_name().name().ends_with("Result"));
    let mut candidates = elements(root).chain(result.into_iter().flat_map(elements));
    candidates.find(all_items).map(|list| elements(list).collect()).unwrap_or_default()
}

pub(crate) fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

/// The text with these ranges, in their order, replaced.
pub(crate) fn edited(xml: &str, edits: &[(Range<usize>, String)]) -> String {
    let mut kept = String::with_capacity(xml.len());
    let mut at = 0;
    for (cut, instead) in edits {
        kept.push_str(&xml[at..cut.start]);
        kept.push_str(instead);
        at = cut.end;
    }
    kept.push_str(&xml[at..]);
    kept
}

pub(crate) trait AnyNamespace {
    /// Whether the element has this name, in whatever namespace: each service has its own.
    fn has_tag_name_anywhere(&self, name: &str) -> bool;
}

impl AnyNamespace for Node<'_, '_> {
    fn has_tag_name_anywhere(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::model;

    const VPCS: &str = "<?xml version=\"1.0\"?>\n<R xmlns=\"urn:x\"><vpcSet><item><vpcId>a</vpcId><tagSet><item><key>k</key></item></tagSet></item><item><vpcId>b</vpcId></item><item><vpcId>c</vpcId></item></vpcSet><requestId>r</requestId></R>";

    #[test]
    fn pages_hold_every_item_once_and_in_order() {
        let page = model::paged("ec2", "DescribeVpcs").unwrap();
        let mut pages = Pages::default();
        let first = pages.first("DescribeVpcs", page, VPCS, 2);
        assert_eq!(texts_of(&first, "vpcId"), ["a", "b"]);
        let token = texts_of(&first, "nextToken").remove(0);
        assert!(pages.next("DescribeSubnets", page, &token, 2).is_none());
        assert!(pages.next("DescribeVpcs", page, "3", 2).is_none());
        for _ in 0..2 {
            let second = pages.next("DescribeVpcs", page, &token, 2).unwrap();
            assert_eq!(texts_of(&second, "vpcId"), ["c"]);
            assert!(texts_of(&second, "nextToken").is_empty());
            assert_eq!(texts_of(&second, "requestId"), ["r"]);
        }
        assert_eq!(pages.first("DescribeVpcs", page, VPCS, 3), VPCS);
        assert_eq!(pages.first("DescribeVpcs", page, "<R><vpcSet/></R>", 3), "<R><vpcSet/></R>");
    }

    #[test]
    fn a_page_says_in_its_protocol_whether_there_is_more() {
        let xml = "<R><ListRolesResult><Roles><member><RoleName>a</RoleName></member><member><RoleName>b</RoleName></member></Roles><IsTruncated>false</IsTruncated></ListRolesResult></R>";
        let page = model::paged("iam", "ListRoles").unwrap();
        let mut pages = Pages::default();
        let first = pages.first("ListRoles", page, xml, 1);
        assert_eq!(
            (texts_of(&first, "RoleName"), texts_of(&first, "IsTruncated")),
            (vec!["a".into()], vec!["true".into()])
        );
        let token = next_of(&first, page).unwrap();
        let last = pages.next("ListRoles", page, &token, 1).unwrap();
        assert_eq!(last, xml.replace("<member><RoleName>a</RoleName></member>", ""));
        let empty = "<R><L><Roles/><IsTruncated>false</IsTruncated></L></R>";
        let filled = with_items(empty, page, &["<member/>".to_owned()]);
        assert_eq!(filled, "<R><L><Roles><member/></Roles><IsTruncated>false</IsTruncated></L></R>");
    }

    #[test]
    fn hidden_items_are_taken_out() {
        let left = without_items(VPCS, "vpcId", |id| id == "b");
        assert_eq!(left, VPCS.replace("<item><vpcId>b</vpcId></item>", ""));
        assert_eq!(without_items(VPCS, "subnetId", |_| true), VPCS);
    }

    #[test]
    fn a_reservation_goes_with_its_last_instance() {
        let xml = "<R><reservationSet><item><instancesSet><item><instanceId>a</instanceId></item><item><instanceId>b</instanceId></item></instancesSet></item></reservationSet></R>";
        let one = without_items(xml, "instanceId", |id| id == "a");
        assert_eq!(texts_of(&one, "instanceId"), ["b"]);
        assert_eq!(without_items(xml, "instanceId", |_| true), "<R><reservationSet></reservationSet></R>");
    }
}
