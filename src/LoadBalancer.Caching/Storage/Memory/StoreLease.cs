using LoadBalancer.Caching.Storage.Bodies;

namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>
/// An object that was found, held until <see cref="Release"/>: its body stays while it is sent, whatever becomes of the object. A mutable struct with one owner:
/// keep it in a field or a local, never copy it while it is held.
/// </summary>
public struct StoreLease<THead>
    where THead : class
{
    private StoredObject<THead>? _object;

    internal StoreLease(StoredObject<THead> found) => _object = found;

    /// <summary>Whether something was found, and is still held.</summary>
    public readonly bool IsHeld => _object is not null;

    /// <summary>What was found.</summary>
    /// <exception cref="InvalidOperationException">Nothing, or it was released.</exception>
    public readonly StoredObject<THead> Object => _object ?? throw new InvalidOperationException("Nothing is held.");

    /// <summary>The head.</summary>
    public readonly THead Head => Object.Head;

    /// <summary>The body, or null.</summary>
    public readonly StoredBody? Body => Object.Body;

    /// <summary>Gives it back: after the last write of its memory has completed. The first call counts, later ones do nothing.</summary>
    public void Release()
    {
        StoredObject<THead>? held = _object;
        _object = null;
        held?.Body?.Release();
    }
}
