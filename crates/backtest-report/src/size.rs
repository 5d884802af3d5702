/// Width and height of a plot in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Width in CSS pixels; below 480 or above 4,000 the nearest of the two is taken.
    pub width: u32,
    /// Height in CSS pixels; below 240 or above 4,000 the nearest of the two is taken.
    pub height: u32,
}

impl Default for Size {
    /// 960 × 420: the width of the tear sheet, two plots on a laptop's screen.
    fn default() -> Self {
        Self { width: 960, height: 420 }
    }
}

impl Size {
    /// What can hold a title, a legend and two axes.
    pub(crate) fn readable(self) -> Self {
        Self { width: self.width.clamp(480, 4_000), height: self.height.clamp(240, 4_000) }
    }
}
