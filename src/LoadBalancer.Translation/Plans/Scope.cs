namespace LoadBalancer.Translation.Plans;

/// <summary>
/// The rules of one value: a document, an element of an array, a value with a type. Paths begin anew in each. Immutable once it is compiled.
/// </summary>
internal sealed class Scope
{
    /// <summary>Where a type is declared, for messages.</summary>
    internal required string MapPath { get; init; }

    /// <summary>What the rules say of the value that comes in.</summary>
    internal SourceNode Root { get; set; } = null!;

    /// <summary>Names that the rules make in the value that goes out.</summary>
    internal TargetNode Target { get; set; } = null!;

    /// <summary>Target nodes, each with a number of its own below.</summary>
    internal int TargetCount { get; set; }

    /// <summary>Parts of joined values.</summary>
    internal int PartCount { get; set; }

    /// <summary>Rules that join parts, done when the value has been read.</summary>
    internal PlanRule[] Joins { get; set; } = [];

    /// <summary>Rules that write what is not there, done when the value has been read.</summary>
    internal PlanRule[] Constants { get; set; } = [];

    /// <summary>Fields that no rule names are left out.</summary>
    internal bool DropsUnknown { get; set; }

    /// <summary>No value of this scope leaves its object; those within it are looked at apart.</summary>
    internal bool IsInPlace { get; set; }
}

/// <summary>A name of the document that comes in, or the value itself, and what becomes of it.</summary>
internal sealed class SourceNode
{
    internal required string Name { get; init; }

    internal NameIndex<SourceNode> Children { get; set; } = new([]);

    /// <summary>What is done with the value. Null: it stays, or only parts of it are named.</summary>
    internal PlanRule? Rule { get; set; }

    /// <summary>Which part of a joined value this is.</summary>
    internal int Part { get; set; }

    /// <summary>Where the value goes. Null: nowhere, but perhaps parts of it.</summary>
    internal TargetNode? Target { get; set; }

    /// <summary>The rules of its type.</summary>
    internal Scope? Type { get; set; }

    /// <summary>The rules of its elements.</summary>
    internal Scope? Items { get; set; }

    /// <summary>The rules of its members, whatever their names.</summary>
    internal Scope? Members { get; set; }

    /// <summary>Children whose default is written when they are missing; at most 64 where the plan is in place.</summary>
    internal SourceNode[] Defaults { get; set; } = [];

    /// <summary>Rules that write what is not there into the object that this one becomes.</summary>
    internal PlanRule[] Constants { get; set; } = [];

    /// <summary>Index in the <see cref="Defaults"/> of the parent; -1 without a default.</summary>
    internal int DefaultIndex { get; set; } = -1;

    /// <summary>Rules that look into an object apply.</summary>
    internal bool TakesObject { get; set; }

    /// <summary>The value has to be an object or an array, or null.</summary>
    internal bool TakesContainer => TakesObject || Items is not null || Members is not null;
}

/// <summary>A name that the rules make in the document that goes out. What comes in under it without a rule gives way.</summary>
internal sealed class TargetNode
{
    internal required string Name { get; init; }

    /// <summary>The name with its quotes, as it is written.</summary>
    internal required byte[] QuotedName { get; init; }

    internal TargetNode? Parent { get; init; }

    internal NameIndex<TargetNode> Children { get; set; } = new([]);

    /// <summary>Number within its scope.</summary>
    internal int Slot { get; init; }

    /// <summary>A rule writes the value itself.</summary>
    internal bool IsLeaf { get; set; }

    /// <summary>No rule names it: something of that name in the source stays there.</summary>
    internal bool IsImplied { get; init; }

    /// <summary>Values and objects of the source that become this one.</summary>
    internal int Writers { get; set; }
}
