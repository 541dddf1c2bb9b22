using System.Net.Sockets;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Files;
using LoadBalancer.Core.Transport;
using LoadBalancer.Limiting.Addresses;

namespace LoadBalancer.Core.Protection.Addresses;

/// <summary>
/// A named list of addresses: those of the configuration and those of a file, which may change while it is used. Asked by any thread; looked at by one at a time.
/// </summary>
internal sealed class AddressList
{
    private readonly List<AddressBlock> _fixed = [];
    private readonly FileState _state;
    private AddressSet _set = AddressSet.Empty;

    /// <summary>Makes it, and reads its file. Blocks that cannot be read are the validator's to tell of.</summary>
    internal AddressList(string name, AddressListConfig config, TimeProvider time)
    {
        Name = name;
        Config = config;
        File = string.IsNullOrEmpty(config.File) ? null : config.File;
        _state = new FileState(time);
        foreach (string text in config.Addresses)
            if (AddressBlockText.TryParse(text, out AddressBlock block, out _)) _fixed.Add(block);
        if (File is null) _set = new AddressSet(_fixed);
        else Look(settles: false);
    }

    internal string Name { get; }

    internal AddressListConfig Config { get; }

    /// <summary>Null for none.</summary>
    internal string? File { get; }

    /// <summary>What is wrong with the file as it is, as an operator says it of the file; null: what it says is in use.</summary>
    internal string? Problem => _state.Problem;

    /// <summary>Blocks in use.</summary>
    internal int Count => Volatile.Read(ref _set).Count;

    /// <summary>Whether an address is in it. Never one of a Unix socket.</summary>
    // Hot path: per connection or request. 0 allocations.
    internal bool Contains(in PeerAddress address) => address.Family is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6
        && Volatile.Read(ref _set).Contains(address.Family == AddressFamily.InterNetwork, address.AddressBits);

    /// <summary>Reads the file.</summary>
    internal SourceChange Look(bool settles)
    {
        bool isRead = WholeFile.TryRead(File!, AddressListFile.BytesMax, out byte[]? content, out string error);
        return _state.Look(isRead ? [content!] : null, error, settles, TryTake);
    }

    private bool TryTake(byte[][] contents, out string error)
    {
        if (!AddressListFile.TryParse(contents[0], out List<AddressBlock>? blocks, out error)) return false;
        blocks.AddRange(_fixed);
        Volatile.Write(ref _set, new AddressSet(blocks));
        return true;
    }
}
