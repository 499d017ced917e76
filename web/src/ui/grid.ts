// What a table's column is, for Grid.svelte and those who use it.
export interface GridColumn {
  key: string;
  label: string;
  /** The label on a card. */
  short?: string;
  numeric?: boolean;
  /** Width in characters; long tables share their width by it. */
  chars?: number;
  /** As a card on a phone: this cell is the card's heading. */
  lead?: boolean;
}
