use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::checkpoint::Format;
use crate::error::{io_error, quoted, shortened};
use crate::map::MappedFile;
use crate::open::{Opened, open_single};
use crate::{CheckpointError, Metadata, TensorInfo};

/// The largest index in bytes, as for headers.
const MAX_INDEX: u64 = 100_000_000;

/// What `model.safetensors.index.json` says; `metadata.total_size`, which many writers get wrong, is not looked at.
#[derive(serde::Deserialize)]
struct Index {
    weight_map: WeightMap,
}

/// Tensor to shard, no tensor twice.
struct WeightMap(BTreeMap<String, String>);

/// Opens all shards of an index, and holds the two against each other.
pub(crate) fn open_shards(index: &Path) -> Result<Opened, CheckpointError> {
    let WeightMap(weight_map) = read_index(index)?.weight_map;
    let shards: BTreeSet<&str> = weight_map.values().map(String::as_str).collect();
    if let Some(shard) = shards.iter().find(|shard| !is_file_name(shard)) {
        return Err(CheckpointError::ShardName { index: index.to_owned(), shard: quoted(shard) });
    }
    let folder = index.parent().unwrap_or(Path::new(""));
    let missing = shards.iter().filter(|shard| !folder.join(shard).exists());
    let missing: Vec<String> = missing.map(|shard| shortened(shard)).collect();
    if !missing.is_empty() {
        return Err(CheckpointError::MissingShards { index: index.to_owned(), missing });
    }

    let mut files: Vec<MappedFile> = Vec::with_capacity(shards.len());
    let mut metadata = Metadata::new(index, Default::default());
    let mut tensors: Vec<TensorInfo> = Vec::with_capacity(weight_map.len());
    for (number, shard) in shards.iter().enumerate() {
        let opened = open_single(&folder.join(shard))?;
        metadata.complete_from(opened.metadata);
        tensors.extend(opened.tensors.into_iter().map(|info| TensorInfo { file: number, ..info }));
        files.extend(opened.files);
    }
    compare(index, &weight_map, &files, &tensors)?;
    Ok(Opened { format: Format::Safetensors, files, metadata, tensors })
}

fn read_index(index: &Path) -> Result<Index, CheckpointError> {
    let size = fs::metadata(index).map_err(io_error("open", index))?.len();
    if size > MAX_INDEX {
        let reason = format!("it has {size} bytes, and {MAX_INDEX} are the most");
        return Err(CheckpointError::header(index, reason));
    }
    let file = File::open(index).map_err(io_error("open", index))?;
    let mut bytes = Vec::new();
    file.take(MAX_INDEX).read_to_end(&mut bytes).map_err(io_error("read", index))?;
    serde_json::from_slice(&bytes)
        .map_err(|source| CheckpointError::Json { path: index.to_owned(), source })
}

/// Whether a name stays in its folder.
fn is_file_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
        && !name.contains(['\\', ':', '\0'])
}

/// Every tensor of the index must be in its shard, and every tensor of a shard in the index.
fn compare(
    index: &Path,
    weight_map: &BTreeMap<String, String>,
    files: &[MappedFile],
    tensors: &[TensorInfo],
) -> Result<(), CheckpointError> {
    let mut holders: HashMap<&str, &Path> = HashMap::with_capacity(tensors.len());
    let mut differences = Vec::new();
    for info in tensors {
        let Some(path) = files.get(info.file).map(MappedFile::path) else { continue };
        if let Some(first) = holders.insert(&info.name, path) {
            let (tensor, first, second) =
                (shortened(&info.name), first.to_owned(), path.to_owned());
            return Err(CheckpointError::InTwoShards { tensor, first, second });
        }
        if !weight_map.contains_key(&info.name) {
            let shard = path.file_name().unwrap_or_default().to_string_lossy();
            differences.push(format!("{} in {shard} is not in the index", quoted(&info.name)));
        }
    }
    for (tensor, shard) in weight_map {
        let holder = holders.get(tensor.as_str()).and_then(|path| path.file_name());
        match holder {
            Some(holder) if holder == shard.as_str() => {}
            Some(holder) => {
                let holder = holder.to_string_lossy();
                differences.push(format!("{} is in {holder}, not in {shard}", quoted(tensor)));
            }
            None => differences.push(format!("{} is not in {shard}", quoted(tensor))),
        }
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(CheckpointError::IndexDisagrees { index: index.to_owned(), differences })
    }
}

impl<'de> Deserialize<'de> for WeightMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(WeightMapVisitor)
    }
}

struct WeightMapVisitor;

impl<'de> Visitor<'de> for WeightMapVisitor {
    type Value = WeightMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from tensor to shard")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WeightMap, A::Error> {
        let mut shards = BTreeMap::new();
        while let Some((tensor, shard)) = map.next_entry::<String, String>()? {
            if shards.contains_key(&tensor) {
                return Err(A::Error::custom(format!("tensor {} is there twice", quoted(&tensor))));
            }
            shards.insert(tensor, shard);
        }
        Ok(WeightMap(shards))
    }
}
