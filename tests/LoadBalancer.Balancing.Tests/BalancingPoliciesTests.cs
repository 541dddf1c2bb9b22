using NUnit.Framework;

namespace LoadBalancer.Balancing.Tests;

/// <summary>Names of policies, and those that a program adds.</summary>
public sealed class BalancingPoliciesTests
{
    [Test]
    public void Add_ANewName_IsMadeByIt()
    {
        var policy = new RandomPolicy();
        BalancingPolicies.Add("added-1", () => policy);
        Assert.That(BalancingPolicies.Create("added-1"), Is.SameAs(policy));
        Assert.That(BalancingPolicies.Names, Does.Contain("added-1"));
        Assert.That(BalancingPolicies.BuiltIn, Does.Not.Contain("added-1"));
    }

    [Test]
    public void Add_ANameThatIsTaken_Throws()
    {
        BalancingPolicies.Add("added-2", () => new RandomPolicy());
        Assert.That(() => BalancingPolicies.Add("added-2", () => new RandomPolicy()), Throws.ArgumentException.With.Message.Contains("'added-2' already"));
        Assert.That(() => BalancingPolicies.Add("round-robin", () => new RandomPolicy()), Throws.ArgumentException);
    }

    [TestCase("")]
    [TestCase("Upper")]
    [TestCase("two words")]
    [TestCase("-first")]
    [TestCase("1st")]
    public void Add_ANameOfAnotherForm_Throws(string name) =>
        Assert.That(() => BalancingPolicies.Add(name, () => new RandomPolicy()), Throws.ArgumentException);

    [Test]
    public void BuiltIn_EachName_IsWhatThePolicyCallsItself()
    {
        foreach (string name in BalancingPolicies.BuiltIn) Assert.That(BalancingPolicies.Create(name).Name, Is.EqualTo(name));
    }
}
