/// The few things that the engine asks of a disk. The real one is ``DiskStorage``; simulations put a faulty one here.
///
/// All names are plain names inside the one folder that this is about. Every call blocks.
package protocol Storage: Sendable {
    /// - Throws: ``StorageError`` with `missing` if the file does not exist and the mode does not create it.
    func open(_ name: String, _ mode: OpenMode) throws(StorageError) -> FileID
    func close(_ file: FileID)

    /// Closes a file that has no name any more. Its room goes back a little at a time: all at once, a file system that tells its medium what is free
    /// (`discard`) holds up every sync for a tenth of a second per 64 MiB. Takes seconds.
    func discard(_ file: FileID)

    /// Writes all bytes at the end of the file, in one call where the system takes them in one.
    func append(_ bytes: UnsafeRawBufferPointer, to file: FileID) throws(StorageError)

    /// Makes what was appended survive a power cut (`fdatasync`).
    func sync(_ file: FileID) throws(StorageError)

    /// Lets the system begin to write a range that was appended, and waits while much of the file before it is still on the way: a sync of this file, or
    /// of another on the same file system, then finds little to wait for. Promises nothing.
    func writeBack(_ file: FileID, _ range: Range<Int>)

    /// Reads up to `buffer.count` bytes; fewer only at the end of the file.
    func read(_ file: FileID, at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
        throws(StorageError) -> Int

    func size(_ file: FileID) throws(StorageError) -> Int
    func truncate(_ file: FileID, to size: Int) throws(StorageError)

    /// Sets room aside so that appends up to `size` bytes of the file cannot run out of space; the size itself stays.
    ///
    /// - Throws: ``StorageError`` with `full` where there is no such room.
    func reserve(_ file: FileID, upTo size: Int) throws(StorageError)

    /// Gives the room of a range back; it reads as zeros then. Does nothing where the file system cannot.
    func punch(_ file: FileID, _ range: Range<Int>)

    /// Replaces `to` atomically.
    func rename(_ from: String, to: String) throws(StorageError)
    func remove(_ name: String) throws(StorageError)
    func names() throws(StorageError) -> [String]

    /// Makes created, renamed and removed names survive a power cut.
    func syncFolder() throws(StorageError)

    /// A folder in this one, under the same ownership. Its own name is in this folder: ``syncFolder()`` here makes it survive.
    ///
    /// - Parameter making: make it where it is missing.
    /// - Throws: ``StorageError`` with `missing`.
    func subfolder(_ name: String, making: Bool) throws(StorageError) -> Self

    /// Removes a folder in this one, and the files in it.
    func removeSubfolder(_ name: String) throws(StorageError)

    /// Gives the folder free for another owner, once every subfolder has been released too. Called once, at the end.
    func release()
}

package enum OpenMode: Sendable {
    case read
    /// Creates the file, or empties it.
    case create
    /// Opens an existing file for cutting and appending.
    case update
}

package struct FileID: Sendable, Hashable, BitwiseCopyable {
    package var rawValue: Int32
    package init(_ rawValue: Int32) { self.rawValue = rawValue }
}

/// Why the disk did not do as told.
package struct StorageError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        case full
        case missing
        case readOnly
        case locked
        case other
    }

    package var kind: Kind
    /// The call, the file and the system's own words.
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}
