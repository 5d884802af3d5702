/// How many processes a launcher started together with this one, and the variable that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Launch {
    pub(crate) variable: &'static str,
    pub(crate) processes: usize,
}

/// Sizes as launchers write them: Open MPI's mpirun, MPICH's and Intel's (also srun with pmi2), MVAPICH's, srun itself.
///
/// `SLURM_NTASKS` is no sign: it is set in batch scripts, too, where one process runs.
const SIZES: [&str; 4] =
    ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"];

/// The launcher that started this process, if one did.
///
/// A batch script of SLURM has no step; the shell of an interactive allocation is a step of one task.
pub(crate) fn launch(variable: impl Fn(&str) -> Option<String>) -> Option<Launch> {
    SIZES.into_iter().find_map(|name| {
        let processes = variable(name)?.trim().parse().ok()?;
        Some(Launch { variable: name, processes })
    })
}

/// Ranks within a machine, as the same launchers write them.
#[cfg(feature = "mpi")]
const LOCAL_RANKS: [&str; 3] = ["OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"];

/// Number of this process among those of its machine, if the launcher says so.
#[cfg(feature = "mpi")]
pub(crate) fn local_rank(variable: impl Fn(&str) -> Option<String>) -> Option<usize> {
    LOCAL_RANKS.into_iter().find_map(|name| variable(name)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expected: Option<(&'static str, usize)>) {
        let found = launch(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        });
        let expected = expected.map(|(variable, processes)| Launch { variable, processes });
        assert_eq!(found, expected, "{variables:?}");
    }

    #[test]
    fn launchers() {
        check(&[], None);
        check(&[("OMPI_COMM_WORLD_SIZE", "4")], Some(("OMPI_COMM_WORLD_SIZE", 4)));
        check(&[("PMI_SIZE", " 2\n")], Some(("PMI_SIZE", 2)));
        check(&[("SLURM_NTASKS", "8")], None);
        check(&[("SLURM_STEP_NUM_TASKS", "8")], Some(("SLURM_STEP_NUM_TASKS", 8)));
        check(
            &[("SLURM_STEP_NUM_TASKS", "1"), ("OMPI_COMM_WORLD_SIZE", "4")],
            Some(("OMPI_COMM_WORLD_SIZE", 4)),
        );
        check(&[("PMI_SIZE", "many")], None);
    }
}
