//! The list in a describe answer: which of its items stay, and pages of it.
//!
//! Works on the text: what is not taken out stays byte for byte what the server wrote.

use std::{collections::BTreeMap, ops::Range};

use roxmltree::{Document, Node};

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
                [] => cuts.push(item.range()),
                _ => cuts.extend(gone.iter().map(Node::range)),
            }
        } else if is_hidden(&item) {
            cuts.push(item.range());
        }
    }
    without(xml, &cuts)
}

/// What is left of lists that were handed out in part, by the token that was handed out with them.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    rest: BTreeMap<String, Rest>,
    tokens: usize,
}

#[derive(Debug)]
struct Rest {
    action: String,
    head: String,
    items: Vec<String>,
    tail: String,
}

impl Pages {
    /// The first page of an answer and, if there is more, a token in it for the next. The pages that follow
    /// show the list as it was now.
    pub(crate) fn first(&mut self, action: &str, xml: &str, size: usize) -> String {
        let Ok(document) = Document::parse(xml) else {
            return xml.to_owned();
        };
        let found = items(&document);
        let (Some(first), Some(last)) = (found.first(), found.last()) else {
            return xml.to_owned();
        };
        let (head, tail) = (&xml[..first.range().start], &xml[last.range().end..]);
        let rest = Rest {
            action: action.to_owned(),
            head: head.to_owned(),
            items: found.iter().map(|item| xml[item.range()].to_owned()).collect(),
            tail: tail.to_owned(),
        };
        self.page(rest, size)
    }

    /// The page that a token stands for. Nothing if it was not handed out for this action. A token stays
    /// good: a caller may ask again for a page whose answer was lost.
    pub(crate) fn next(&mut self, action: &str, token: &str, size: usize) -> Option<String> {
        let Rest { action, head, items, tail } = self.rest.get(token).filter(|rest| rest.action == action)?;
        let rest = Rest { action: action.clone(), head: head.clone(), items: items.clone(), tail: tail.clone() };
        Some(self.page(rest, size))
    }

    fn page(&mut self, mut rest: Rest, size: usize) -> String {
        let size = size.max(1);
        let later = rest.items.split_off(size.min(rest.items.len()));
        let whole = format!("{}{}{}", rest.head, rest.items.concat(), rest.tail);
        if later.is_empty() {
            return whole;
        }
        self.tokens += 1;
        // Opaque: nothing can be computed from it, and it is not valid as anything else.
        let token = format!("testbed+page/{:08x}==", self.tokens.wrapping_mul(0x9E37_79B1) & 0xFFFF_FFFF);
        let with_token = with_next_token(&whole, &token);
        self.rest.insert(token, Rest { items: later, ..rest });
        with_token
    }
}

fn with_next_token(xml: &str, token: &str) -> String {
    let Some(end) = xml.rfind("</") else {
        return xml.to_owned();
    };
    format!("{}<nextToken>{token}</nextToken>{}", &xml[..end], &xml[end..])
}

/// The items of the list directly under the root: the first element that has nothing but items.
fn items<'a>(document: &'a Document<'a>) -> Vec<Node<'a, 'a>> {
    let all_items = |list: &Node<'a, 'a>| {
        let mut children = elements(*list).peekable();
        children.peek().is_some() && children.all(|child| child.has_tag_name_anywhere("item"))
    };
    elements(document.root_element()).find(all_items).map(|list| elements(list).collect()).unwrap_or_default()
}

fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

fn without(xml: &str, cuts: &[Range<usize>]) -> String {
    let mut kept = String::with_capacity(xml.len());
    let mut at = 0;
    for cut in cuts {
        kept.push_str(&xml[at..cut.start]);
        at = cut.end;
    }
    kept.push_str(&xml[at..]);
    kept
}

trait AnyNamespace {
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

    const VPCS: &str = "<?xml version=\"1.0\"?>\n<R xmlns=\"urn:x\"><vpcSet><item><vpcId>a</vpcId><tagSet><item><key>k</key></item></tagSet></item><item><vpcId>b</vpcId></item><item><vpcId>c</vpcId></item></vpcSet><requestId>r</requestId></R>";

    #[test]
    fn pages_hold_every_item_once_and_in_order() {
        let mut pages = Pages::default();
        let first = pages.first("DescribeVpcs", VPCS, 2);
        assert_eq!(texts_of(&first, "vpcId"), ["a", "b"]);
        let token = texts_of(&first, "nextToken").remove(0);
        assert!(pages.next("DescribeSubnets", &token, 2).is_none());
        assert!(pages.next("DescribeVpcs", "3", 2).is_none());
        for _ in 0..2 {
            let second = pages.next("DescribeVpcs", &token, 2).unwrap();
            assert_eq!(texts_of(&second, "vpcId"), ["c"]);
            assert!(texts_of(&second, "nextToken").is_empty());
            assert_eq!(texts_of(&second, "requestId"), ["r"]);
        }
        assert_eq!(pages.first("DescribeVpcs", VPCS, 3), VPCS);
        assert_eq!(pages.first("DescribeVpcs", "<R><vpcSet/></R>", 3), "<R><vpcSet/></R>");
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
