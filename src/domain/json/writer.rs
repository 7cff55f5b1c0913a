//! A serializer to JSON without spaces.

use super::strings::{displayed, quoted};
use serde::ser::{self, Error as _, Serialize, Serializer};
use serde_json::{Error, Result};
use std::fmt;

/// By this name serde_json's `RawValue` says that its text is JSON already.
pub const RAW: &str = "$serde_json::private::RawValue";

/// What is written next.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Value,
    /// The name in a map: a string, or what is made one.
    Key,
    /// Text that is JSON already.
    Raw,
}

/// Writes one value at the end of a buffer.
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    part: Part,
}

/// An array or an object that is begun, and what ends it.
pub struct Items<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
    end: &'static [u8],
}

impl<'a> Writer<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Writer<'a> {
        Writer { out, part: Part::Value }
    }

    /// A number, or a word such as `true`.
    fn bare(self, text: &str) -> Result<()> {
        if self.part == Part::Key {
            quoted(self.out, text);
        } else {
            self.out.extend_from_slice(text.as_bytes());
        }
        Ok(())
    }

    fn integer(self, number: impl itoa::Integer) -> Result<()> {
        self.bare(itoa::Buffer::new().format(number))
    }

    fn null(self) -> Result<()> {
        self.no_key()?.extend_from_slice(b"null");
        Ok(())
    }

    fn begin(self, start: u8, end: &'static [u8]) -> Result<Items<'a>> {
        let out = self.no_key()?;
        out.push(start);
        Ok(Items { out, empty: true, end })
    }

    /// `{"name":`
    fn variant(self, name: &str) -> Result<&'a mut Vec<u8>> {
        let out = self.no_key()?;
        out.push(b'{');
        quoted(out, name);
        out.push(b':');
        Ok(out)
    }

    fn no_key(self) -> Result<&'a mut Vec<u8>> {
        if self.part == Part::Key { Err(Error::custom("key must be a string")) } else { Ok(self.out) }
    }
}

macro_rules! integers {
    ($($method:ident $type:ty),*) => {$(
        fn $method(self, v: $type) -> Result<()> {
            self.integer(v)
        }
    )*};
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Items<'a>;
    type SerializeStruct = Items<'a>;
    type SerializeStructVariant = Items<'a>;

    fn serialize_bool(self, v: bool) -> Result<()> {
        self.bare(if v { "true" } else { "false" })
    }
    integers!(serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128);
    integers!(serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_u128 u128);
    fn serialize_f32(self, v: f32) -> Result<()> {
        let text = serde_json::to_string(&v)?;
        self.bare(&text)
    }
    fn serialize_f64(self, v: f64) -> Result<()> {
        let text = serde_json::to_string(&v)?;
        self.bare(&text)
    }
    fn serialize_char(self, v: char) -> Result<()> {
        quoted(self.out, v.encode_utf8(&mut [0; 4]));
        Ok(())
    }
    fn serialize_str(self, v: &str) -> Result<()> {
        match self.part {
            Part::Raw => self.out.extend_from_slice(v.as_bytes()),
            Part::Value | Part::Key => quoted(self.out, v),
        }
        Ok(())
    }
    fn collect_str<T: fmt::Display + ?Sized>(self, v: &T) -> Result<()> {
        displayed(self.out, v).map_err(Error::custom)
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<()> {
        self.collect_seq(v)
    }
    fn serialize_none(self) -> Result<()> {
        self.null()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, v: &T) -> Result<()> {
        v.serialize(self)
    }
    fn serialize_unit(self) -> Result<()> {
        self.null()
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.null()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, v: &T) -> Result<()> {
        v.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        v: &T,
    ) -> Result<()> {
        let out = self.variant(variant)?;
        v.serialize(Writer::new(out))?;
        out.push(b'}');
        Ok(())
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>> {
        self.begin(b'[', b"]")
    }
    fn serialize_tuple(self, _: usize) -> Result<Items<'a>> {
        self.begin(b'[', b"]")
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a>> {
        self.begin(b'[', b"]")
    }
    fn serialize_tuple_variant(self, _: &'static str, _: u32, name: &'static str, _: usize) -> Result<Items<'a>> {
        Writer::new(self.variant(name)?).begin(b'[', b"]}")
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Items<'a>> {
        self.begin(b'{', b"}")
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Items<'a>> {
        if name == RAW {
            return Ok(Items { out: self.no_key()?, empty: true, end: b"" });
        }
        self.begin(b'{', b"}")
    }
    fn serialize_struct_variant(self, _: &'static str, _: u32, name: &'static str, _: usize) -> Result<Items<'a>> {
        Writer::new(self.variant(name)?).begin(b'{', b"}}")
    }
}

impl Items<'_> {
    #[inline]
    fn next(&mut self) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
    }

    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<()> {
        self.next();
        v.serialize(Writer::new(self.out))
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, v: &T) -> Result<()> {
        if self.end.is_empty() {
            return v.serialize(Writer { out: self.out, part: Part::Raw });
        }
        self.next();
        // Names of fields are ours and have nothing to escape.
        self.out.reserve(name.len() + 3);
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        v.serialize(Writer::new(self.out))
    }

    fn over(self) -> Result<()> {
        self.out.extend_from_slice(self.end);
        Ok(())
    }
}

macro_rules! of_elements {
    ($($part:ident $method:ident),*) => {$(
        impl ser::$part for Items<'_> {
            type Ok = ();
            type Error = Error;
            fn $method<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<()> {
                self.item(v)
            }
            fn end(self) -> Result<()> {
                self.over()
            }
        }
    )*};
}

macro_rules! of_fields {
    ($($part:ident),*) => {$(
        impl ser::$part for Items<'_> {
            type Ok = ();
            type Error = Error;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, v: &T) -> Result<()> {
                self.field(name, v)
            }
            fn end(self) -> Result<()> {
                self.over()
            }
        }
    )*};
}

of_elements!(SerializeSeq serialize_element, SerializeTuple serialize_element);
of_elements!(SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field);
of_fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.next();
        key.serialize(Writer { out: self.out, part: Part::Key })
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<()> {
        self.out.push(b':');
        v.serialize(Writer::new(self.out))
    }
    fn end(self) -> Result<()> {
        self.over()
    }
}
