use super::profile::Profile;
use super::run_folder::RunFolder;
use super::stage::Stage;

pub(super) fn report(
    _run: &RunFolder,
    _profile: &Profile,
    _stages: &[Stage],
) -> anyhow::Result<()> {
    Ok(())
}
