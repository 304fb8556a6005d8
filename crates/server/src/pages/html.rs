//! HTML that cannot be injected into: the one place where markup is written and values are escaped.
//!
//! Element names, attribute names and raw markup are `&'static str` or a closed set; whatever is only known at run
//! time goes through [`escape`]. There is no attribute for styles or event handlers, and addresses take a
//! [`LocalPath`], so `style=`, `onclick=` and `javascript:` cannot be written at all.

use super::local_path::LocalPath;

/// A finished fragment. Only [`Element`] and literals make one.
#[derive(Debug, Clone, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup written in this source.
    pub(super) fn literal(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// The markup.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Attributes whose value is plain text: none of them is an address, a style or a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attr {
    /// `aria-describedby`
    DescribedBy,
    /// `aria-invalid`
    Invalid,
    /// `aria-label`
    Label,
    /// `aria-labelledby`
    LabelledBy,
    /// `autocapitalize`
    Autocapitalize,
    /// `autocomplete`
    Autocomplete,
    /// `class`
    Class,
    /// `content` of a `meta` without `http-equiv`
    Content,
    /// `data-app`, read by the demo's script
    DataApp,
    /// `datetime`
    DateTime,
    /// `for`
    For,
    /// `id`
    Id,
    /// `lang`
    Lang,
    /// `method`
    Method,
    /// `name`
    Name,
    /// `rel`
    Rel,
    /// `role`
    Role,
    /// `spellcheck`
    Spellcheck,
    /// `type`
    Type,
    /// `value`
    Value,
}

impl Attr {
    const fn name(self) -> &'static str {
        match self {
            Self::DescribedBy => "aria-describedby",
            Self::Invalid => "aria-invalid",
            Self::Label => "aria-label",
            Self::LabelledBy => "aria-labelledby",
            Self::Autocapitalize => "autocapitalize",
            Self::Autocomplete => "autocomplete",
            Self::Class => "class",
            Self::Content => "content",
            Self::DataApp => "data-app",
            Self::DateTime => "datetime",
            Self::For => "for",
            Self::Id => "id",
            Self::Lang => "lang",
            Self::Method => "method",
            Self::Name => "name",
            Self::Rel => "rel",
            Self::Role => "role",
            Self::Spellcheck => "spellcheck",
            Self::Type => "type",
            Self::Value => "value",
        }
    }
}

/// Attributes that are there or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    /// `autofocus`
    Autofocus,
    /// `hidden`
    Hidden,
    /// `required`
    Required,
}

/// Attributes that hold an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    /// `action`
    Action,
    /// `href`
    Href,
}

/// An element that is being written. Attributes come before content.
#[derive(Debug, Clone)]
pub(super) struct Element {
    name: &'static str,
    attributes: String,
    content: String,
}

impl Element {
    /// An empty element.
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, attributes: String::new(), content: String::new() }
    }

    /// With the attribute, its value escaped.
    pub(super) fn attr(mut self, attr: Attr, value: &str) -> Self {
        self.write_attribute(attr.name(), value);
        self
    }

    /// With the attribute.
    pub(super) fn flag(mut self, flag: Flag) -> Self {
        self.attributes.push_str(match flag {
            Flag::Autofocus => " autofocus",
            Flag::Hidden => " hidden",
            Flag::Required => " required",
        });
        self
    }

    /// With the attribute if `set`.
    pub(super) fn flag_if(self, flag: Flag, set: bool) -> Self {
        if set { self.flag(flag) } else { self }
    }

    /// With an address on this origin.
    pub(super) fn address(mut self, address: Address, path: &LocalPath) -> Self {
        let name = match address {
            Address::Action => "action",
            Address::Href => "href",
        };
        self.write_attribute(name, path.as_str());
        self
    }

    /// With an attribute and value that both stand in this source.
    pub(super) fn fixed(mut self, name: &'static str, value: &'static str) -> Self {
        self.write_attribute(name, value);
        self
    }

    /// With the nonce that lets the page's policy run it. For the elements `script` only.
    pub(super) fn nonce(mut self, nonce: &str) -> Self {
        self.write_attribute("nonce", nonce);
        self
    }

    /// With `text` added to its content, escaped.
    pub(super) fn text(mut self, text: &str) -> Self {
        escape(text, &mut self.content);
        self
    }

    /// With an element added to its content.
    pub(super) fn child(mut self, child: Self) -> Self {
        child.write(&mut self.content);
        self
    }

    /// With an element added to its content, if there is one.
    pub(super) fn maybe(self, child: Option<Self>) -> Self {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    /// With elements added to its content.
    pub(super) fn children(self, children: impl IntoIterator<Item = Self>) -> Self {
        children.into_iter().fold(self, Self::child)
    }

    /// With a finished fragment added to its content.
    pub(super) fn html(mut self, html: &Html) -> Self {
        self.content.push_str(html.as_str());
        self
    }

    /// The finished fragment.
    pub(super) fn build(self) -> Html {
        let mut out = String::with_capacity(self.content.len() + self.attributes.len() + 32);
        self.write(&mut out);
        Html(out)
    }

    fn write_attribute(&mut self, name: &str, value: &str) {
        self.attributes.push(' ');
        self.attributes.push_str(name);
        self.attributes.push_str("=\"");
        escape(value, &mut self.attributes);
        self.attributes.push('"');
    }

    fn write(self, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        out.push_str(&self.attributes);
        out.push('>');
        if !is_void(self.name) {
            out.push_str(&self.content);
            out.push_str("</");
            out.push_str(self.name);
            out.push('>');
        }
    }
}

/// HTML "void elements" have no content and no end tag.
fn is_void(name: &str) -> bool {
    matches!(name, "br" | "hr" | "input" | "link" | "meta")
}

/// Appends `text` so that it stands for itself, in content and in a quoted attribute alike. Control characters, which
/// HTML does not allow and some parsers drop, become the replacement character.
fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            '\n' | '\t' => out.push(character),
            other if other.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_place() {
        let hostile = "\"><script>alert('1')</script>`&\0\u{1b}";
        let escaped = "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&#96;&amp;\u{fffd}\u{fffd}";
        let element = Element::new("p").attr(Attr::Id, hostile).text(hostile);
        assert_eq!(element.build().as_str(), format!("<p id=\"{escaped}\">{escaped}</p>"));
    }

    #[test]
    fn void_elements_have_no_end() {
        let element = Element::new("input").attr(Attr::Name, "a").flag(Flag::Required).text("dropped");
        assert_eq!(element.build().as_str(), "<input name=\"a\" required>");
    }

    #[test]
    fn elements_nest_in_order() {
        let list = Element::new("ul").children(["a", "b"].map(|item| Element::new("li").text(item)));
        assert_eq!(list.build().as_str(), "<ul><li>a</li><li>b</li></ul>");
    }
}
