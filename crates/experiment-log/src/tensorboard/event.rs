//! The part of TensorFlow's `Event` message that TensorBoard needs, as protocol buffers.
//!
//! Source: `event.proto`, `summary.proto`, `tensor.proto` and `tensor_shape.proto` of TensorFlow.

pub(super) struct Event<'a> {
    /// Seconds since 1970.
    pub(super) wall_time: f64,
    pub(super) step: u64,
    pub(super) what: What<'a>,
}

pub(super) enum What<'a> {
    /// The first event of a file.
    FileVersion,
    /// From this step on, earlier files of the folder do not count.
    SessionStart,
    Scalars(&'a [(&'a str, f64)]),
    Text {
        tag: &'a str,
        text: &'a str,
    },
}

/// `DT_STRING` of `DataType`.
const DT_STRING: u64 = 7;
/// `START` of `SessionLog.SessionStatus`.
const START: u64 = 1;
/// `DATA_CLASS_TENSOR` of `DataClass`.
const DATA_CLASS_TENSOR: u64 = 2;

impl Event<'_> {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut event = Message::default();
        event.double(1, self.wall_time);
        if self.step > 0 {
            event.integer(2, self.step);
        }
        match self.what {
            What::FileVersion => event.bytes(3, b"brain.Event:2"),
            What::SessionStart => event.message(7, |log| log.integer(1, START)),
            What::Scalars(scalars) => event.message(5, |summary| {
                for (tag, scalar) in scalars {
                    summary.message(1, |value| {
                        value.bytes(1, tag.as_bytes());
                        value.float(2, *scalar as f32);
                    });
                }
            }),
            What::Text { tag, text } => event.message(5, |summary| {
                summary.message(1, |value| text_value(value, tag, text));
            }),
        }
        event.0
    }
}

fn text_value(value: &mut Message, tag: &str, text: &str) {
    value.bytes(1, tag.as_bytes());
    value.message(8, |tensor| {
        tensor.integer(1, DT_STRING);
        tensor.message(2, |shape| shape.message(2, |dimension| dimension.integer(1, 1)));
        tensor.bytes(8, text.as_bytes());
    });
    value.message(9, |metadata| {
        metadata.message(1, |plugin| plugin.bytes(1, b"text"));
        metadata.integer(4, DATA_CLASS_TENSOR);
    });
}

/// A message of protocol buffers under way.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn integer(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.varint(field << 3 | 1);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn float(&mut self, field: u64, value: f32) {
        self.varint(field << 3 | 5);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn message(&mut self, field: u64, fill: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        fill(&mut inner);
        self.bytes(field, &inner.0);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
