// The decorators read the types of parameters at run time, so Context must be a value here.
/* eslint-disable @typescript-eslint/consistent-type-imports */
import { Context, Contract, Info, Object as Data, Property, Returns, Transaction } from 'fabric-contract-api';

@Data()
export class Asset {
  @Property()
  id: string = '';

  @Property()
  owner: string = '';

  @Property()
  value: number = 0;
}

@Info({ title: 'Assets', description: 'Things with an owner and a value' })
export class AssetContract extends Contract {
  @Transaction()
  async InitLedger(ctx: Context): Promise<void> {
    await this.CreateAsset(ctx, 'asset1', 'Tomoko', 300);
    await this.CreateAsset(ctx, 'asset2', 'Brad', 400);
  }

  @Transaction()
  async CreateAsset(ctx: Context, id: string, owner: string, value: number): Promise<void> {
    if (await this.AssetExists(ctx, id)) throw new Error(`The asset ${id} already exists`);
    await this.store(ctx, { id, owner, value });
  }

  @Transaction()
  async TransferAsset(ctx: Context, id: string, newOwner: string): Promise<string> {
    const asset = JSON.parse(await this.ReadAsset(ctx, id)) as Asset;
    await this.store(ctx, { ...asset, owner: newOwner });
    ctx.stub.setEvent('TransferAsset', new TextEncoder().encode(id));
    return asset.owner;
  }

  @Transaction(false)
  @Returns('string')
  async ReadAsset(ctx: Context, id: string): Promise<string> {
    const bytes = await ctx.stub.getState(id);
    if (bytes.length === 0) throw new Error(`The asset ${id} does not exist`);
    return new TextDecoder().decode(bytes);
  }

  @Transaction(false)
  @Returns('boolean')
  async AssetExists(ctx: Context, id: string): Promise<boolean> {
    return (await ctx.stub.getState(id)).length > 0;
  }

  @Transaction(false)
  @Returns('string')
  async GetAllAssets(ctx: Context): Promise<string> {
    const all: unknown[] = [];
    for await (const { value } of ctx.stub.getStateByRange('', ''))
      all.push(JSON.parse(new TextDecoder().decode(value)));
    return JSON.stringify(all);
  }

  private async store(ctx: Context, { id, owner, value }: Asset): Promise<void> {
    await ctx.stub.putState(id, new TextEncoder().encode(JSON.stringify({ id, owner, value })));
  }
}
