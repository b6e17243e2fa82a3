//! `once backup` and `once restore`: a copy of the data, made while the process serves.
//!
//! The database is copied first, as of one moment. Files, the stream and keys are copied after it:
//! a settlement that is completed in the copy has its file there.

use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use rusqlite::{Connection, OpenFlags};

use crate::data::DATABASE;

/// What is copied beside the database, as far as it exists.
const OTHERS: [&str; 4] = ["files", "stream", "keys.json", "secrets.json"];

/// The options of `once backup`.
#[derive(Debug, Args)]
pub struct Backup {
    /// New folder for the copy
    to: PathBuf,
    /// Folder of the data
    #[arg(long, default_value = "data")]
    data: PathBuf,
}

/// The options of `once restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// Folder that `once backup` made
    from: PathBuf,
    /// New folder of the data
    #[arg(long, default_value = "data")]
    data: PathBuf,
}

impl Backup {
    /// Makes the copy. A copy that failed has no database.
    ///
    /// # Errors
    /// The folder exists, the data is missing, or the disk fails.
    pub fn run(self) -> Result<(), Box<dyn Error>> {
        let Self { to, data } = self;
        let database = data.join(DATABASE);
        if !database.exists() {
            return Err(format!("--data: {} has no {DATABASE}", data.display()).into());
        }
        create(&to)?;
        let draft = to.join("draft.db");
        let connection = Connection::open_with_flags(&database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.execute("VACUUM INTO ?1", [draft.to_str().ok_or("the path is not UTF-8")?])?;
        copy_others(&data, &to)?;
        fs::File::open(&draft)?.sync_all()?;
        fs::rename(draft, to.join(DATABASE))?;
        println!("The data in {} is copied to {}", data.display(), to.display());
        Ok(())
    }
}

impl Restore {
    /// Copies a backup to a new folder of data.
    ///
    /// # Errors
    /// The folder exists, the backup is not complete, or the disk fails.
    pub fn run(self) -> Result<(), Box<dyn Error>> {
        let Self { from, data } = self;
        if !from.join(DATABASE).exists() {
            return Err(format!("{} is no complete backup", from.display()).into());
        }
        create(&data)?;
        copy_others(&from, &data)?;
        fs::copy(from.join(DATABASE), data.join(DATABASE))?;
        println!("The data in {} is that of {}", data.display(), from.display());
        Ok(())
    }
}

fn create(folder: &Path) -> Result<(), String> {
    fs::create_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn copy_others(from: &Path, to: &Path) -> io::Result<()> {
    OTHERS.iter().try_for_each(|name| copy(&from.join(name), &to.join(name)))
}

/// Copies a file, or a folder with all that is in it. What is removed meanwhile is left out.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let copied = if from.is_dir() {
        fs::create_dir_all(to)?;
        fs::read_dir(from)?.try_for_each(|entry| {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))
        })
    } else {
        fs::copy(from, to).map(drop)
    };
    match copied {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        copied => copied,
    }
}
