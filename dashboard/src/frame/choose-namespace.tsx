import { Building2 } from 'lucide-react';
import { Card, Page } from '@/ui/page';
import { NamespaceList } from './namespace-select';

/** What a platform key sees first: it acts for any namespace, and must say for which. */
export function ChooseNamespace() {
  return (
    <Page
      title="Choose a namespace"
      icon={Building2}
      subtitle="Your key acts for any namespace. Which one do you want to look at?"
    >
      <Card className="max-w-md">
        <NamespaceList />
      </Card>
    </Page>
  );
}
